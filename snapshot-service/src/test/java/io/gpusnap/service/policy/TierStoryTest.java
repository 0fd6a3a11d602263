package io.gpusnap.service.policy;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.FakeDaemon;
import io.gpusnap.service.testing.ServiceTest;
import io.gpusnap.service.testing.TestOutlook;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.jdbc.core.simple.JdbcClient;
import tools.jackson.databind.JsonNode;

/** Models' lives under policies, over months. Before each thing that happens, {@code explain} says that it will, and why. */
@ServiceTest
class TierStoryTest {
    private static final String PREFETCH =
            "The forecast expects 5.0 replicas of %s; from 2.0 on it should be on NVME of 2 nodes.";
    private static final String UNUSED = "It was not thawed for %s; after 1 d it leaves NVME.";

    @Autowired
    private Api api;

    @Autowired
    private JdbcClient jdbc;

    @Autowired
    private TestOutlook outlook;

    private TierStory story;

    @AfterEach
    void thePolicyGoes() {
        outlook.expect(Map.of());
        story.end();
    }

    @Test
    void aModelsSnapshotsLiveUnderTheirPolicy() {
        story = TierStory.begin(api, jdbc);
        String prefetch = PREFETCH.formatted(story.catalogue.model());

        // a snapshot of the stable version gets its second copy
        String v1 = story.a.save(story.catalogue, 41);
        assertThat(story.explain(v1).path("role").asString()).isEqualTo("STABLE");
        assertThat(story.decisions(v1))
                .containsExactly("COPY minimum-copies: It has 1 durable copy and should have 2.");
        story.settle();
        assertThat(story.places(v1)).containsExactly("a", "s3");
        assertThat(story.decisions(v1)).isEmpty();

        // a new version is stable; within the day the old one stays where it is
        story.release("v2");
        story.pass(Duration.ofHours(23));
        story.settle();
        assertThat(story.explain(v1).path("role").asString()).isEqualTo("HISTORY");
        assertThat(story.decisions(v1)).isEmpty();
        assertThat(story.places(v1)).containsExactly("a", "s3");

        // two hours later it was not thawed for more than a day, and leaves the disk
        story.pass(Duration.ofHours(2));
        assertThat(story.decisions(v1)).containsExactly("REMOVE demote: " + UNUSED.formatted("1 d 1 h"));
        story.settle();
        assertThat(story.places(v1)).containsExactly("s3");
        assertThat(story.a.own()).isEmpty();

        // somebody needs it all the same: it comes back through the bucket, and for a while it is on a disk again
        story.catalogue.restore(v1).expect(202);
        story.work();
        assertThat(story.decisions(v1))
                .containsExactly("COPY promote: It was last thawed 0 min ago; within 2 h it should be on NVME.");
        story.settle();
        assertThat(story.places(v1)).hasSize(2).contains("s3");

        // the day after that nobody did, and it leaves again
        story.pass(Duration.ofHours(25));
        assertThat(story.decisions(v1)).containsExactly("REMOVE demote: " + UNUSED.formatted("1 d 1 h"));
        story.settle();
        assertThat(story.places(v1)).containsExactly("s3");

        // the forecast expects many, and the snapshot is on both disks before they come
        outlook.expect(Map.of(story.catalogue.model(), 5.0));
        JsonNode before = story.explain(v1);
        assertThat(before.path("expectedReplicas").asDouble()).isEqualTo(5.0);
        assertThat(before.path("decisions").valueStream())
                .extracting(one -> one.path("priority").asString())
                .startsWith("URGENT", "URGENT");
        assertThat(story.decisions(v1))
                .isEqualTo(List.of(
                        "COPY prefetch: " + prefetch,
                        "COPY prefetch: " + prefetch,
                        "KEEP prefetch: " + prefetch,
                        "KEEP prefetch: " + prefetch));
        story.settle();
        assertThat(story.places(v1)).containsExactly("a", "b", "s3");

        // as long as it does, nothing takes it away, however long nobody has thawed it
        story.pass(Duration.ofHours(5));
        assertThat(story.decisions(v1)).isEqualTo(List.of("KEEP prefetch: " + prefetch, "KEEP prefetch: " + prefetch));
        story.settle();
        assertThat(story.places(v1)).containsExactly("a", "b", "s3");

        // the wave is over, and what came for it goes
        outlook.expect(Map.of());
        String waited = UNUSED.formatted("1 d 6 h");
        assertThat(story.decisions(v1)).isEqualTo(List.of("REMOVE demote: " + waited, "REMOVE demote: " + waited));
        story.settle();
        assertThat(story.places(v1)).containsExactly("s3");
        assertThat(story.decisions(v1)).isEmpty();

        // a month without use ends its life, everywhere
        story.pass(Duration.ofDays(30));
        assertThat(story.decisions(v1))
                .containsExactly(
                        "DELETE retention: It was neither taken nor thawed for 31 d 6 h; after 30 d it is deleted.");
        story.settle();
        assertThat(story.catalogue.snapshot(v1).path("state").asString()).isEqualTo("DELETED");
        assertThat(story.places(v1)).isEmpty();
    }

    @Test
    void aDiskThatIsTooFullIsEmptiedDownToItsLowMark() {
        // a disk with room for six, of which four are there
        story = TierStory.begin(api, jdbc, """
                {"kind": "watermark", "tier": "NVME", "high": 0.8, "low": 0.55}
                """);
        story.a.ownCapacity(6 * FakeDaemon.SNAPSHOT_BYTES);
        String v1 = story.catalogue.version();
        List<String> old =
                List.of(story.save(story.a, v1, 41), story.save(story.a, v1, 42), story.save(story.a, v1, 43));
        story.release("v2");
        String stable = story.save(story.a, "v2", 44);
        assertThat(old).allSatisfy(one -> assertThat(story.decisions(one)).isEmpty());
        story.settle();
        assertThat(story.a.own()).hasSize(4);

        // a fifth one is too much: of the history the two that were used longest ago get a copy elsewhere
        String newest = story.save(story.a, "v2", 45);
        String full = "The store is 83 % full, over 80 %; copies leave it down to 55 %.";
        for (String goes : old.subList(0, 2)) {
            assertThat(story.decisions(goes))
                    .containsExactly(
                            "COPY watermark: " + full + " Before that another store needs a copy.",
                            "KEEP safety: It is the last good durable copy; watermark would remove it.");
        }
        for (String stays : List.of(old.getLast(), stable, newest)) {
            assertThat(story.decisions(stays)).isEmpty();
        }
        story.step();
        assertThat(story.places(old.getFirst())).containsExactly("a", "s3");

        // then they leave the disk, which is half full after that
        for (String goes : old.subList(0, 2)) {
            assertThat(story.decisions(goes)).containsExactly("REMOVE watermark: " + full);
        }
        story.settle();
        for (String gone : old.subList(0, 2)) {
            assertThat(story.places(gone)).containsExactly("s3");
        }
        assertThat(story.a.own()).containsExactlyInAnyOrder(old.getLast(), stable, newest);
        assertThat(story.places(old.getLast())).containsExactly("a");
        assertThat(story.decisions(old.getLast())).isEmpty();
    }

    @Test
    void ofADiskThatCompressesAsManyCopiesLeaveAsItTakes() {
        // given the same disk with half as much room, on which a copy takes half of what was saved
        story = TierStory.begin(api, jdbc, """
                {"kind": "watermark", "tier": "NVME", "high": 0.8, "low": 0.55}
                """);
        story.a.ownCapacity(3 * FakeDaemon.SNAPSHOT_BYTES);
        story.a.compressesTo(FakeDaemon.SNAPSHOT_BYTES / 2);
        String v1 = story.catalogue.version();
        List<String> old =
                List.of(story.save(story.a, v1, 41), story.save(story.a, v1, 42), story.save(story.a, v1, 43));
        story.release("v2");
        story.save(story.a, "v2", 44);
        story.save(story.a, "v2", 45);

        // when it is too full, then the first look finds the two that have to go, and not only one of them
        assertThat(story.actions(old.get(0))).containsExactly("COPY", "KEEP");
        assertThat(story.actions(old.get(1))).containsExactly("COPY", "KEEP");
        assertThat(story.decisions(old.get(2))).isEmpty();
        story.step();
        assertThat(story.actions(old.get(0))).containsExactly("REMOVE");
        assertThat(story.actions(old.get(1))).containsExactly("REMOVE");
        story.settle();
        assertThat(story.a.own()).hasSize(3).contains(old.get(2));
        assertThat(story.storedBytes(old.get(2), story.a)).isEqualTo(FakeDaemon.SNAPSHOT_BYTES / 2);
    }

    /** On the second disk copies take half, and it has room for three quarters of what was saved. */
    private void beginBesideADiskThatCompresses() {
        story = TierStory.begin(api, jdbc, """
                {"kind": "minimum-copies", "copies": 2},
                {"kind": "node-spread", "nodes": 2}
                """);
        story.b.compressesTo(FakeDaemon.SNAPSHOT_BYTES / 2);
        story.b.ownCapacity(5 * FakeDaemon.SNAPSHOT_BYTES / 4);
        story.save(story.b, story.catalogue.version(), 51);
        story.step();
    }

    @Test
    void onADiskThatCompressesThereIsRoomForWhatACopyTakesThere() {
        beginBesideADiskThatCompresses();

        // when a snapshot is to be there as well, then it has room
        String next = story.save(story.a, story.catalogue.version(), 41);
        story.settle();
        assertThat(story.places(next)).contains("a", "b");
    }

    @Test
    void whatFoundNoRoomIsNotTriedAgainBeforeItFitsWholeOrTimeHasPassed() {
        beginBesideADiskThatCompresses();
        String next = story.save(story.a, story.catalogue.version(), 41);
        story.step();

        // when the copy of one that does not become smaller finds no room
        findsNoRoomOnB(next);

        // then it is not planned again, and why is told
        assertThat(story.decisions(next))
                .singleElement()
                .asString()
                .startsWith("BLOCKED node-spread: It is on 1 node and should be on 2.")
                .containsPattern("A copy of it found no room in NVME store " + story.own(story.b)
                        + "; until \\S+Z all that was saved of it counts there\\.");
        assertThat(story.step()).isZero();

        // nor does that last for ever
        story.pass(Duration.ofHours(7));
        assertThat(story.actions(next)).containsExactly("COPY");
        findsNoRoomOnB(next);
        assertThat(story.actions(next)).containsExactly("BLOCKED");

        // and when there is room for all of it, then it is tried at once
        story.b.ownCapacity(2 * FakeDaemon.SNAPSHOT_BYTES);
        story.b.heartbeat();
        story.settle();
        assertThat(story.places(next)).contains("a", "b");
    }

    private void findsNoRoomOnB(String snapshot) {
        assertThat(story.actions(snapshot)).containsExactly("COPY");
        story.evaluate();
        story.b
                .node()
                .fail(story.b.claim("TRANSFER").orElseThrow(), "INSUFFICIENT_SPACE")
                .expect(204);
        story.b.heartbeat();
    }

    @Test
    void whatIsNotUsedForLongIsOnlyInTheArchive() {
        story = TierStory.begin(api, jdbc, """
                {"kind": "archive", "to": "S3", "unusedFor": "PT168H"}
                """);
        String snapshot = story.a.save(story.catalogue, 41);
        story.pass(Duration.ofDays(6));
        assertThat(story.decisions(snapshot)).isEmpty();
        story.settle();
        assertThat(story.places(snapshot)).containsExactly("a");

        // after a week it comes to the archive
        story.pass(Duration.ofDays(2));
        String why = "It was not thawed for 8 d; after 7 d it is only kept on S3.";
        assertThat(story.decisions(snapshot))
                .containsExactly(
                        "COPY archive: " + why,
                        "KEEP safety: It is the last good durable copy; archive would remove it.");
        story.step();
        assertThat(story.places(snapshot)).containsExactly("a", "s3");

        // and is nowhere else
        assertThat(story.decisions(snapshot)).containsExactly("REMOVE archive: " + why);
        story.settle();
        assertThat(story.places(snapshot)).containsExactly("s3");
        assertThat(story.a.own()).isEmpty();
        assertThat(story.decisions(snapshot)).isEmpty();
    }

    @Test
    void whatIsPinnedStaysWhateverOtherRulesWant() {
        story = TierStory.begin(api, jdbc, """
                {"kind": "demote", "from": "NVME", "unusedFor": "PT24H"},
                {"kind": "retention", "maxAge": "PT720H"},
                {"kind": "pin", "model": "MODEL", "version": "VERSION", "tier": "NVME"}
                """.replace("VERSION", "v1"));
        assertThat(story.catalogue.version()).isEqualTo("v1");
        String snapshot = story.a.save(story.catalogue, 41);
        story.release("v2");
        String pinned = story.catalogue.model() + "/v1 is pinned to NVME.";

        // after a day it has a slower copy, and keeps the fast one
        story.pass(Duration.ofHours(25));
        assertThat(story.decisions(snapshot))
                .containsExactly(
                        "COPY demote: " + UNUSED.formatted("1 d 1 h") + " Before that a slower tier needs a copy.",
                        "KEEP safety: It is the last good durable copy; demote would remove it.");
        story.step();
        assertThat(story.decisions(snapshot)).containsExactly("KEEP pin: " + pinned);
        story.settle();
        assertThat(story.places(snapshot)).containsExactly("a", "s3");

        // its disk fails, and it comes to one again
        story.a.own().remove(snapshot);
        story.pass(Duration.ofMinutes(2));
        story.work();
        assertThat(story.places(snapshot)).containsExactly("s3");
        assertThat(story.decisions(snapshot)).containsExactly("COPY pin: " + pinned);
        story.settle();
        assertThat(story.places(snapshot)).hasSize(2).contains("s3");
        assertThat(story.a.own().contains(snapshot) || story.b.own().contains(snapshot))
                .isTrue();

        // a month later it would be deleted
        story.pass(Duration.ofDays(30));
        assertThat(story.decisions(snapshot))
                .containsExactly(
                        "KEEP pin: " + pinned,
                        "BLOCKED retention: It was neither taken nor thawed for 31 d 1 h; after 30 d it is deleted."
                                + " It stays: its version is pinned.");
        story.settle();
        assertThat(story.state(snapshot)).isEqualTo("READY");
        assertThat(story.places(snapshot)).hasSize(2).contains("s3");
    }

    @Test
    void theNewestOfAVersionIsSpreadOverNodes() {
        story = TierStory.begin(api, jdbc, """
                {"kind": "minimum-copies", "copies": 2},
                {"kind": "node-spread", "nodes": 2},
                {"kind": "demote", "from": "NVME", "unusedFor": "PT24H"}
                """);
        String spread = "It is on 1 node and should be on 2.";

        // the other node cannot get at it before it is in the bucket
        String first = story.save(story.a, story.catalogue.version(), 41);
        assertThat(story.decisions(first))
                .containsExactly(
                        "COPY minimum-copies: It has 1 durable copy and should have 2.",
                        "BLOCKED node-spread: " + spread
                                + " No store has room for it, is healthy, and is seen by a node that can also read a good copy.");
        story.step();
        assertThat(story.places(first)).containsExactly("a", "s3");
        assertThat(story.decisions(first)).containsExactly("COPY node-spread: " + spread);
        story.settle();
        assertThat(story.places(first)).containsExactly("a", "b", "s3");
        assertThat(story.b.own()).containsExactly(first);

        // it stays there as long as it is the newest
        story.pass(Duration.ofHours(25));
        String enough = "KEEP node-spread: It is on 2 nodes and should be on 2.";
        assertThat(story.decisions(first)).containsExactly(enough, enough);
        story.settle();
        assertThat(story.places(first)).containsExactly("a", "b", "s3");

        // a newer one takes its place on the nodes, and it keeps the two copies that it has to have
        String second = story.save(story.b, story.catalogue.version(), 42);
        assertThat(story.decisions(first))
                .containsExactly(
                        "REMOVE demote: " + UNUSED.formatted("1 d 1 h"),
                        "KEEP minimum-copies: It has 2 durable copies and should have 2.");
        story.settle();
        assertThat(story.places(second)).containsExactly("a", "b", "s3");
        assertThat(story.places(first)).hasSize(2).contains("s3");
    }

    @Test
    void ofAVersionSoManyAreKept() {
        story = TierStory.begin(api, jdbc, """
                {"kind": "retention", "keepNewest": 2}
                """);
        String version = story.catalogue.version();
        String first = story.save(story.a, version, 41);
        String second = story.save(story.a, version, 42);
        assertThat(story.decisions(first)).isEmpty();
        story.settle();
        assertThat(story.state(first)).isEqualTo("READY");

        // one of another version counts for that one
        story.release("v2");
        String other = story.save(story.a, "v2", 43);
        assertThat(story.decisions(first)).isEmpty();

        // a third one is one too many
        String third = story.save(story.a, version, 44);
        assertThat(story.decisions(first))
                .containsExactly("DELETE retention: Of " + story.catalogue.model() + "/" + version
                        + " the newest 2 are kept, and 2 are newer.");
        assertThat(story.decisions(second)).isEmpty();
        story.settle();
        assertThat(story.state(first)).isEqualTo("DELETED");
        assertThat(story.places(first)).isEmpty();
        assertThat(story.a.own()).containsExactlyInAnyOrder(second, third, other);
        assertThat(List.of(second, third, other))
                .allSatisfy(one -> assertThat(story.state(one)).isEqualTo("READY"));
    }
}
