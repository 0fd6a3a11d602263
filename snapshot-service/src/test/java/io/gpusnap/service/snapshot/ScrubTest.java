package io.gpusnap.service.snapshot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.operation.TransferPriority;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.id.StoreId;
import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.platform.problem.ErrorCode;
import io.gpusnap.service.restore.SnapshotReach;
import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.Catalogue;
import io.gpusnap.service.testing.FakeDaemon;
import io.gpusnap.service.testing.FakeSharedStore;
import io.gpusnap.service.testing.ServiceTest;
import io.gpusnap.service.tier.Store;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
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
    private SnapshotReach reach;

    @Autowired
    private CopySources sources;

    @Autowired
    private Copies copies;

    @Autowired
    private LocationStore locations;

    @Autowired
    private CopyMetrics metrics;

    @Autowired
    private MeterRegistry registry;

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
        return copyIn(store);
    }

    private JsonNode copyIn(StoreId where) {
        for (JsonNode location : catalogue.snapshot(snapshot).path("locations")) {
            if (location.path("storeId").asString().equals(where.toString())) {
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
    void whatACopyTakesIsKnownOnceAScrubHasSaidIt() {
        // given a copy of a node's own that was made by a daemon that did not say
        StoreId own = Store.ownOf(NodeId.of(daemon.id()), Inventory.TierKind.NVME);
        assertThat(copyIn(own).has("storedBytes")).isFalse();
        jdbc.sql("UPDATE snapshot_location SET verified_at = verified_at - interval '31 days' WHERE store_id = ?")
                .param(own.value())
                .update();

        daemon.compressesTo(2_000_000);
        transaction.executeWithoutResult(status -> scrubs.scrub(own));
        daemon.perform(daemon.claim("SCRUB").orElseThrow());

        assertThat(copyIn(own).path("storedBytes").asLong()).isEqualTo(2_000_000);
    }

    @Test
    void aResultThatCannotBeIsABadRequestAndChangesNothing() {
        pass(Duration.ofDays(31));
        scrub();
        JsonNode task = daemon.claim("SCRUB").orElseThrow();
        Map<String, Object> verdict = Map.of("snapshotId", snapshot, "verdict", "MISSING");

        assertThat(daemon.complete(
                                task, "scrub", Map.of("bytesRead", -1, "seconds", 1.0, "snapshots", List.of(verdict)))
                        .expect(400)
                        .code())
                .isEqualTo("INVALID_REQUEST");
        assertThat(copy().path("state").asString()).isEqualTo("PRESENT");
        daemon.perform(task);
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

    private Map<String, Object> unreadable(JsonNode task, String why) {
        List<Map<String, Object>> verdicts = new ArrayList<>();
        task.at("/scrub/snapshots")
                .forEach(one -> verdicts.add(Map.of(
                        "snapshotId", one.path("snapshotId").asString(), "verdict", "UNREADABLE", "unread", why)));
        return Map.of("bytesRead", 0, "seconds", 1.0, "snapshots", verdicts);
    }

    @Test
    void copiesThatCannotBeReadDoNotKeepTheOthersFromTheirTurn() {
        // given more copies than one scrub takes, and a scrub that can read none of them
        List<String> all = new ArrayList<>(List.of(snapshot));
        for (int i = 0; i < 10; i++) {
            String next = daemon.save(catalogue, 60 + i);
            moves.copy(new Moves.Copy(
                    SnapshotId.of(next), NodeId.of(daemon.id()), store, null, TransferPriority.NORMAL, "-"));
            all.add(next);
        }
        daemon.work();
        pass(Duration.ofDays(31));
        scrub();
        JsonNode first = daemon.claim("SCRUB").orElseThrow();
        daemon.complete(first, "scrub", unreadable(first, "NO_KEY")).expect(204);
        // when
        scrub();
        JsonNode second = daemon.claim("SCRUB").orElseThrow();
        // then the others are looked at, and nothing is held against those
        Set<String> looked = new HashSet<>();
        first.at("/scrub/snapshots")
                .forEach(one -> looked.add(one.path("snapshotId").asString()));
        second.at("/scrub/snapshots")
                .forEach(one -> looked.add(one.path("snapshotId").asString()));
        assertThat(looked).containsExactlyInAnyOrderElementsOf(all);
        assertThat(copy().path("state").asString()).isEqualTo("PRESENT");
        assertThat(copy().path("unread").asString()).isEqualTo("NO_KEY");
        // and those that could not be read have their turn again later
        daemon.perform(second);
        scrub();
        assertThat(daemon.claim("SCRUB")).isEmpty();
        jdbc.sql("UPDATE snapshot_location SET scrub_tried_at = scrub_tried_at - interval '2 hours' WHERE store_id = ?")
                .param(store.value())
                .update();
        scrub();
        JsonNode third = daemon.claim("SCRUB").orElseThrow();
        assertThat(third.at("/scrub/snapshots")).hasSize(10);
        daemon.perform(third);
        assertThat(copy().has("unread")).isFalse();
    }

    @Test
    void whatAScrubCouldNotReadLetsNoOtherCopyGo() {
        StoreId own = Store.ownOf(NodeId.of(daemon.id()), Inventory.TierKind.NVME);
        for (String why : List.of("NO_KEY", "UNTRUSTED_SIGNER", "NO_ANSWER")) {
            Map<Unreadable, Long> before = locations.countUnreadable();
            scrubFinds(why);

            assertThatThrownBy(() -> moves.remove(SnapshotId.of(snapshot), own, "-"))
                    .as(why)
                    .isInstanceOfSatisfying(
                            ApiException.class,
                            refused -> assertThat(refused.code()).isEqualTo(ErrorCode.CONFLICT))
                    .hasMessageContaining("but for 1 that nobody can read");
            Map<Unreadable, Long> after = locations.countUnreadable();
            Unreadable counted = Unreadable.valueOf(why);
            assertThat(after.getOrDefault(counted, 0L)).isEqualTo(before.getOrDefault(counted, 0L) + 1);
            metrics.read();
            assertThat(registry.get("gpusnap.copies.unreadable")
                            .tag("reason", why.toLowerCase(Locale.ROOT))
                            .gauge()
                            .value())
                    .isEqualTo((double) after.get(counted));
        }

        // when something only worked with it, then it is as good as it was
        scrubFinds("IN_USE");
        moves.remove(SnapshotId.of(snapshot), own, "-");
        daemon.work();
        assertThat(catalogue.snapshot(snapshot).path("locations")).hasSize(1);
    }

    private void scrubFinds(String why) {
        pass(Duration.ofDays(31));
        jdbc.sql("UPDATE snapshot_location SET scrub_tried_at = NULL WHERE store_id = ?")
                .param(store.value())
                .update();
        scrub();
        JsonNode task = daemon.claim("SCRUB").orElseThrow();
        daemon.complete(task, "scrub", unreadable(task, why)).expect(204);
        assertThat(copy().path("unread").asString()).isEqualTo(why);
    }

    @Test
    void whatAScrubCouldNotReadMayStillBeCopiedByANodeThatSaysItCan() {
        scrubFinds("NO_ANSWER");
        FakeDaemon another = FakeDaemon.start(api, bucket);

        copyInto(another);

        assertThat(another.claim("TRANSFER")).isPresent();
    }

    @Test
    void copiesThatNoNodeCanOpenAreCounted() {
        long before = locations.countUnreadable().getOrDefault(Unreadable.NO_READER, 0L);
        daemon.holdsKeysOf("tenant-a", "signer");
        daemon.heartbeat();
        String sealed = daemon.save(catalogue, 53);
        moves.copy(new Moves.Copy(
                SnapshotId.of(sealed), NodeId.of(daemon.id()), store, null, TransferPriority.NORMAL, "-"));
        daemon.work();
        assertThat(locations.countUnreadable().getOrDefault(Unreadable.NO_READER, 0L))
                .isEqualTo(before);

        daemon.holdsKeysOf("tenant-b", "signer");
        daemon.heartbeat();

        assertThat(locations.countUnreadable().getOrDefault(Unreadable.NO_READER, 0L))
                .isEqualTo(before + 1);
    }

    @Test
    void aScrubGoesToANodeThatCanOpenTheCopyAndTrustsItsSigner() {
        // given two nodes beside the one that has made a copy with its keys: each lacks something
        FakeDaemon sealing = FakeDaemon.start(api, bucket);
        FakeDaemon other = FakeDaemon.start(api, bucket);
        other.holdsKeysOf("tenant-b", "signer-1");
        other.heartbeat();
        FakeDaemon wary = FakeDaemon.start(api, bucket);
        wary.holdsKeysOf("@lab", "signer-2");
        wary.heartbeat();
        daemon.holdsKeysOf("tenant-b", "signer-1");
        daemon.heartbeat();
        FakeDaemon friend = FakeDaemon.start(api, bucket);
        friend.holdsKeysOf("@lab", "signer-1");
        friend.heartbeat();
        sealing.holdsKeysOf("@lab", "signer-1");
        sealing.heartbeat();
        snapshot = sealing.save(catalogue, 52);
        moves.copy(new Moves.Copy(
                SnapshotId.of(snapshot), NodeId.of(sealing.id()), store, null, TransferPriority.NORMAL, "-"));
        sealing.work();
        jdbc.sql("DELETE FROM snapshot_location WHERE store_id = ? AND snapshot_id <> ?")
                .param(store.value())
                .param(SnapshotId.of(snapshot).value())
                .update();
        pass(Duration.ofDays(31));
        // when
        jdbc.sql("UPDATE node SET schedulable = false WHERE id = ?")
                .param(NodeId.of(sealing.id()).value())
                .update();
        scrub();
        // then
        assertThat(friend.claim("SCRUB")).isPresent();
        // and it is the only one to which a thaw could go
        assertThat(reach.of(List.of(SnapshotId.of(snapshot)), null, 20))
                .filteredOn(one -> one.missingBytes() > 0)
                .extracting(SnapshotReach.Reach::node)
                .containsExactly(NodeId.of(friend.id()));
        // nor is a copy of it made elsewhere
        assertThatThrownBy(() -> copyInto(other))
                .isInstanceOfSatisfying(
                        ApiException.class,
                        refused -> assertThat(refused.code()).isEqualTo(ErrorCode.CONFLICT));
        copyInto(friend);
        assertThat(sources.readers(SnapshotId.of(snapshot)))
                .containsExactlyInAnyOrder(NodeId.of(friend.id()), NodeId.of(sealing.id()));
        assertThat(copies.strangers().get(SnapshotId.of(snapshot)).get(store))
                .containsExactlyInAnyOrder(NodeId.of(daemon.id()), NodeId.of(other.id()), NodeId.of(wary.id()));
    }

    private void copyInto(FakeDaemon node) {
        moves.copy(new Moves.Copy(
                SnapshotId.of(snapshot),
                NodeId.of(node.id()),
                Store.ownOf(NodeId.of(node.id()), Inventory.TierKind.NVME),
                null,
                TransferPriority.NORMAL,
                "-"));
    }

    @Test
    void aScrubThatCouldNotReadACopyIsGivenToAnotherNodeTheNextTime() {
        FakeDaemon another = FakeDaemon.start(api, bucket);
        pass(Duration.ofDays(31));
        scrub();
        FakeDaemon first = whoHasIt(another);
        JsonNode task = first.claim("SCRUB").orElseThrow();
        first.complete(task, "scrub", unreadable(task, "NO_KEY")).expect(204);
        jdbc.sql("UPDATE snapshot_location SET scrub_tried_at = scrub_tried_at - interval '2 hours' WHERE store_id = ?")
                .param(store.value())
                .update();
        scrub();
        assertThat(first.claim("SCRUB")).isEmpty();
        assertThat((first == daemon ? another : daemon).claim("SCRUB")).isPresent();
    }

    private FakeDaemon whoHasIt(FakeDaemon another) {
        UUID node = jdbc.sql(
                        "SELECT node_id FROM operation WHERE store_id = ? AND kind = 'SCRUB' AND state = 'PENDING'")
                .param(store.value())
                .query(UUID.class)
                .single();
        return node.equals(NodeId.of(daemon.id()).value()) ? daemon : another;
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
