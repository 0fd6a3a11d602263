package io.gpusnap.service.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.service.operation.TransferPriority;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.id.StoreId;
import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.Catalogue;
import io.gpusnap.service.testing.FakeDaemon;
import io.gpusnap.service.testing.FakeSharedStore;
import io.gpusnap.service.testing.ServiceTest;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.support.TransactionTemplate;
import tools.jackson.databind.JsonNode;

@ServiceTest
class ScrubTest {
    @Autowired
    private Api api;

    @Autowired
    private JdbcClient jdbc;

    @Autowired
    private Moves moves;

    @Autowired
    private Scrubs scrubs;

    @Autowired
    private TransactionTemplate transaction;

    private final FakeSharedStore bucket = new FakeSharedStore();
    private final StoreId store = new StoreId(bucket.id());
    private Catalogue catalogue;
    private FakeDaemon daemon;
    private String snapshot;

    @BeforeEach
    void givenASnapshotOnADiskAndInABucket() {
        catalogue = Catalogue.create(api);
        daemon = FakeDaemon.start(api, bucket);
        snapshot = daemon.save(catalogue, 51);
        moves.copy(new Moves.Copy(
                SnapshotId.of(snapshot), NodeId.of(daemon.id()), store, null, TransferPriority.NORMAL, "-"));
        daemon.work();
    }

    private void pass(Duration time) {
        jdbc.sql("UPDATE snapshot_location SET verified_at = verified_at - make_interval(secs => ?) WHERE store_id = ?")
                .param(time.toSeconds())
                .param(store.value())
                .update();
    }

    private void scrub() {
        transaction.executeWithoutResult(status -> scrubs.scrub(store));
    }

    private JsonNode copy() {
        for (JsonNode location : catalogue.snapshot(snapshot).path("locations")) {
            if (location.path("storeId").asString().equals(store.toString())) {
                return location;
            }
        }
        return Api.JSON.missingNode();
    }

    @Test
    void aCopyThatWasNotReadForLongIsReadAgainAtABoundedRate() {
        pass(Duration.ofDays(31));
        String before = copy().path("verifiedAt").asString();

        scrub();
        JsonNode task = daemon.claim("SCRUB").orElseThrow();
        daemon.perform(task);

        assertThat(task.at("/scrub/maxBytesPerSecond").asLong()).isEqualTo(50L << 20);
        assertThat(task.at("/scrub/snapshots/0/manifestDigest").asString())
                .isEqualTo(catalogue.snapshot(snapshot).path("manifestDigest").asString());
        assertThat(copy().path("verifiedAt").asString()).isGreaterThan(before);
        scrub();
        assertThat(daemon.claim("SCRUB")).isEmpty();
    }

    @Test
    void whatWasReadLatelyIsNotReadAgain() {
        scrub();

        assertThat(daemon.claim("SCRUB")).isEmpty();
    }

    @Test
    void aTierThatDoesNotAnswerSaysNothingOfItsCopies() {
        pass(Duration.ofDays(31));
        scrub();

        JsonNode task = daemon.claim("SCRUB").orElseThrow();
        daemon.complete(
                        task,
                        "scrub",
                        Map.of(
                                "bytesRead",
                                0,
                                "seconds",
                                1.0,
                                "snapshots",
                                List.of(Map.of("snapshotId", snapshot, "verdict", "UNREADABLE"))))
                .expect(204);

        assertThat(copy().path("state").asString()).isEqualTo("PRESENT");
    }

    @Test
    void whatAScrubDidNotFindIsNotTheCopyThatCameMeanwhile() {
        // given a scrub that is under way, while the copy is given up and made anew
        pass(Duration.ofDays(31));
        scrub();
        JsonNode task = daemon.claim("SCRUB").orElseThrow();
        moves.remove(SnapshotId.of(snapshot), store, "-");
        moves.copy(new Moves.Copy(
                SnapshotId.of(snapshot), NodeId.of(daemon.id()), store, null, TransferPriority.NORMAL, "-"));
        daemon.work();
        assertThat(copy().path("state").asString()).isEqualTo("PRESENT");

        // when it says what it has seen in between
        daemon.complete(task, "scrub", missing()).expect(204);

        // then
        assertThat(copy().path("state").asString()).isEqualTo("PRESENT");
        assertThat(copy().path("damage").isMissingNode()
                        || copy().path("damage").isNull())
                .isTrue();
    }

    @Test
    void whatAScrubDidNotFindIsGone() {
        pass(Duration.ofDays(31));
        scrub();
        daemon.complete(daemon.claim("SCRUB").orElseThrow(), "scrub", missing()).expect(204);

        assertThat(copy().path("state").asString()).isEqualTo("CORRUPT");
        assertThat(copy().path("damage").asString()).contains("MISSING");
    }

    private Map<String, Object> missing() {
        return Map.of(
                "bytesRead",
                0,
                "seconds",
                1.0,
                "snapshots",
                List.of(Map.of("snapshotId", snapshot, "verdict", "MISSING", "detail", "it is not there")));
    }

    @Test
    void aCorruptCopyIsQuarantinedAndThePolicyMakesItAnewFromTheGoodOne() {
        // given a policy, and a copy that rots
        String policy = "scrubbed-" + UUID.randomUUID();
        api.once()
                .post(
                        "/api/v1/tier-policies",
                        Map.of(
                                "name",
                                policy,
                                "spec",
                                Map.of(
                                        "models",
                                        List.of(catalogue.model()),
                                        "enabled",
                                        true,
                                        "rules",
                                        List.of(Map.of("kind", "minimum-copies", "copies", 1)))))
                .expect(201);
        bucket.damage(snapshot);
        pass(Duration.ofDays(31));

        // when it is scrubbed
        scrub();
        daemon.work();
        JsonNode corrupt = copy();

        // then it is not read any more, and made anew
        assertThat(corrupt.path("state").asString()).isEqualTo("CORRUPT");
        assertThat(corrupt.path("damage").asString()).contains("another digest");
        assertThat(catalogue.snapshot(snapshot).path("state").asString()).isEqualTo("READY");
        JsonNode decisions = api.post("/api/v1/tier-policies/" + policy + "/evaluations", Map.of("dryRun", false))
                .expect(200)
                .json()
                .path("decisions");
        daemon.work();
        assertThat(decisions.at("/0/rule").asString()).isEqualTo("repair");
        assertThat(decisions.at("/0/result").asString()).isEqualTo("DONE");
        assertThat(decisions.at("/1/result").asString()).isEqualTo("QUEUED");
        assertThat(copy().path("state").asString()).isEqualTo("PRESENT");
        assertThat(bucket.isDamaged(snapshot)).isFalse();
        api.with("If-Match", "*").delete("/api/v1/tier-policies/" + policy).expect(204);
    }
}
