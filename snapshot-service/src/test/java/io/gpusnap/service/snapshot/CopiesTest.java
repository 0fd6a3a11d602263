package io.gpusnap.service.snapshot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.operation.Operation;
import io.gpusnap.service.operation.TransferPriority;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.id.StoreId;
import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.Catalogue;
import io.gpusnap.service.testing.FakeDaemon;
import io.gpusnap.service.testing.FakeSharedStore;
import io.gpusnap.service.testing.ServiceTest;
import io.gpusnap.service.testing.SimulatedNode;
import io.gpusnap.service.tier.Store;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.jdbc.core.simple.JdbcClient;
import tools.jackson.databind.JsonNode;

@ServiceTest
class CopiesTest {
    @Autowired
    private Api api;

    @Autowired
    private Moves moves;

    @Autowired
    private JdbcClient jdbc;

    private final FakeSharedStore bucket = new FakeSharedStore();
    private Catalogue catalogue;
    private FakeDaemon first;
    private FakeDaemon second;
    private String snapshot;

    @BeforeEach
    void givenASnapshotOnOneOfTwoNodesThatShareABucket() {
        catalogue = Catalogue.create(api);
        first = FakeDaemon.start(api, bucket);
        second = FakeDaemon.start(api, bucket);
        snapshot = first.save(catalogue, 11);
    }

    private Operation copy(FakeDaemon by, StoreId to) {
        return copy(by, to, TransferPriority.NORMAL);
    }

    private Operation copy(FakeDaemon by, StoreId to, TransferPriority priority) {
        return moves.copy(
                new Moves.Copy(SnapshotId.of(snapshot), NodeId.of(by.id()), to, null, priority, "the test wants it"));
    }

    private StoreId bucketStore() {
        return new StoreId(bucket.id());
    }

    private static StoreId nvme(FakeDaemon daemon) {
        return Store.ownOf(NodeId.of(daemon.id()), Inventory.TierKind.NVME);
    }

    private JsonNode location(StoreId store) {
        for (JsonNode location : catalogue.snapshot(snapshot).path("locations")) {
            if (location.path("storeId").asString().equals(store.toString())) {
                return location;
            }
        }
        return Api.JSON.missingNode();
    }

    private String state(StoreId store) {
        return location(store).path("state").asString("-");
    }

    private Api.Reply delete() {
        return api.with("If-Match", "*").delete("/api/v1/snapshots/" + snapshot);
    }

    @Test
    void whatOnlyTheBucketHasIsVerifiedByANodeThatReachesIt() {
        // given
        copy(first, bucketStore());
        first.work();
        moves.remove(SnapshotId.of(snapshot), nvme(first), "demoted");
        first.work();
        assertThat(state(nvme(first))).isEqualTo("-");

        // when
        api.once().post("/api/v1/snapshots/" + snapshot + "/verifications").expect(202);

        // then
        assertThat(first.work() + second.work()).isEqualTo(1);
        assertThat(first.done().contains("VERIFY " + snapshot) || second.done().contains("VERIFY " + snapshot))
                .isTrue();
        assertThat(catalogue.snapshot(snapshot).path("state").asString()).isEqualTo("READY");
    }

    @Test
    void aTransferMakesACopyThatCountsOnceItIsProven() {
        // given
        Operation operation = copy(first, bucketStore());
        String before = state(bucketStore());

        // when the node does it
        JsonNode task = first.claim("TRANSFER").orElseThrow();
        first.perform(task);

        // then
        assertThat(before).isEqualTo("COPYING");
        assertThat(task.at("/transfer/tier/name").asString()).isEqualTo("s3");
        assertThat(task.at("/transfer/tier/storeId").asString())
                .isEqualTo(bucket.id().toString());
        assertThat(task.at("/transfer/manifestDigest").asString())
                .isEqualTo(catalogue.snapshot(snapshot).path("manifestDigest").asString());
        assertThat(task.at("/transfer/maxBytesPerSecond").asLong())
                .as("of the node, not of this one")
                .isEqualTo(1L << 30);
        assertThat(catalogue.operation(operation.id().toString()).path("state").asString())
                .isEqualTo("SUCCEEDED");
        assertThat(state(bucketStore())).isEqualTo("PRESENT");
        assertThat(location(bucketStore()).path("reason").asString()).isEqualTo("the test wants it");
        assertThat(state(nvme(first))).isEqualTo("PRESENT");
    }

    @Test
    void aNodeThatOnlySeesTheBucketThawsFromIt() {
        // given a copy in the bucket
        copy(first, bucketStore());
        first.work();

        // when it is to come back on the other node
        api.once()
                .post("/api/v1/restores", Map.of("snapshotId", snapshot, "nodeId", second.id()))
                .expect(202);
        JsonNode task = second.claim().orElseThrow();

        // then that node is told where to look
        assertThat(task.path("kind").asString()).isEqualTo("THAW");
        assertThat(task.at("/thaw/sources/0/name").asString()).isEqualTo("s3");
    }

    @Test
    void aNodeIsSentToWhatItNamedWhenItRegistered() {
        // given a copy in the bucket, and one in a node's own store that nobody has told of
        copy(first, bucketStore());
        first.work();
        Map<String, Object> inventory = SimulatedNode.inventory(Map.of("criu+cuda", "", "transfer", ""));
        inventory.put("tiers", List.of(tier("NVME", UUID.randomUUID()), tier("S3", bucket.id())));

        // when one node registers that sees the bucket, another that has the snapshot, and neither has beaten yet
        SimulatedNode sees = SimulatedNode.register(api, "node-" + UUID.randomUUID(), inventory);
        inventory.put("snapshots", List.of(snapshot));
        SimulatedNode has = SimulatedNode.register(api, "node-" + UUID.randomUUID(), inventory);

        // then both are places to come back on
        for (SimulatedNode node : List.of(sees, has)) {
            api.once()
                    .post("/api/v1/restores", Map.of("snapshotId", snapshot, "nodeId", node.id()))
                    .expect(202);
            assertThat(node.claim().path("kind").asString()).isEqualTo("THAW");
        }
        assertThat(state(Store.ownOf(NodeId.of(has.id()), Inventory.TierKind.NVME)))
                .isEqualTo("PRESENT");
    }

    private static Map<String, Object> tier(String kind, UUID store) {
        return Map.of(
                "kind",
                kind,
                "name",
                kind.toLowerCase(Locale.ROOT),
                "storeId",
                store,
                "capacityBytes",
                1L << 40,
                "freeBytes",
                1L << 39,
                "usedBytes",
                0);
    }

    @Test
    void whereNoHolderCanItComesBackThroughTheBucket() {
        // given the only holder is cordoned
        copy(first, bucketStore());
        first.work();
        api.with("If-Match", "*")
                .patch("/api/v1/nodes/" + first.id(), Map.of("schedulable", false))
                .expect(200);

        JsonNode restore = catalogue.restore(snapshot).expect(202).json();

        assertThat(restore.at("/restore/nodeId").asString()).isEqualTo(second.id());
        assertThat(restore.at("/restore/decision/rejected/0/code").asString()).isEqualTo("NODE_UNSCHEDULABLE");
    }

    @Test
    void aThawIsClaimedBeforeAMoveThatWasAskedForEarlier() {
        copy(first, bucketStore(), TransferPriority.URGENT);
        catalogue.restore(snapshot).expect(202);

        assertThat(first.claim().orElseThrow().path("kind").asString()).isEqualTo("THAW");
        assertThat(first.claim("THAW", "SAVE")).isEmpty();
        assertThat(first.claim("TRANSFER").orElseThrow().path("kind").asString())
                .isEqualTo("TRANSFER");
    }

    @Test
    void aCopyInAStoreThatDoesNotAnswerIsNoReasonToRemoveAnotherOne() {
        // given a second copy in a bucket that neither of its nodes finds fit for use
        copy(first, bucketStore());
        first.work();
        first.tierHealth("s3", "UNHEALTHY");
        second.tierHealth("s3", "UNHEALTHY");
        first.heartbeat();
        second.heartbeat();

        // then the node's copy stays, and so does the bucket's should the node fall silent
        assertThatThrownBy(() -> moves.remove(SnapshotId.of(snapshot), nvme(first), "demoted"))
                .isInstanceOf(ApiException.class)
                .hasMessageContaining("last good copy")
                .hasMessageContaining("but for 1 in stores that do not answer");
        second.tierHealth("s3", "HEALTHY");
        second.heartbeat();
        jdbc.sql("UPDATE node SET state = 'SILENT' WHERE id = ?::uuid")
                .param(first.id())
                .update();
        assertThatThrownBy(() -> moves.remove(SnapshotId.of(snapshot), bucketStore(), "demoted"))
                .isInstanceOf(ApiException.class)
                .hasMessageContaining("last good copy");

        // when both are heard again
        first.tierHealth("s3", "HEALTHY");
        first.heartbeat();

        // then one may go
        moves.remove(SnapshotId.of(snapshot), nvme(first), "demoted");
        first.work();
        assertThat(state(nvme(first))).isEqualTo("-");
        assertThat(state(bucketStore())).isEqualTo("PRESENT");
    }

    @Test
    void aCopyThatNobodyCanOpenIsNoReasonToRemoveAnotherOne() {
        // given a second copy in a bucket, sealed by the one node that has the key, which then begins without it
        first.holdsKeysOf("tenant-a", "signer");
        first.heartbeat();
        second.holdsKeysOf("tenant-b", "signer");
        second.heartbeat();
        copy(first, bucketStore());
        first.work();
        first.holdsKeysOf("tenant-b", "signer");
        first.heartbeat();

        // then the node's copy stays
        assertThatThrownBy(() -> moves.remove(SnapshotId.of(snapshot), nvme(first), "demoted"))
                .isInstanceOf(ApiException.class)
                .hasMessageContaining("last good copy")
                .hasMessageContaining("but for 1 that nobody can read");

        // and so it does while the key is only where the bucket cannot be used, or at a node that is not heard
        second.holdsKeysOf("tenant-a", "signer");
        second.tierHealth("s3", "UNHEALTHY");
        second.heartbeat();
        assertThatThrownBy(() -> moves.remove(SnapshotId.of(snapshot), nvme(first), "demoted"))
                .hasMessageContaining("but for 1 that nobody can read");
        second.tierHealth("s3", "HEALTHY");
        second.heartbeat();
        jdbc.sql("UPDATE node SET state = 'SILENT' WHERE id = ?::uuid")
                .param(second.id())
                .update();
        assertThatThrownBy(() -> moves.remove(SnapshotId.of(snapshot), nvme(first), "demoted"))
                .hasMessageContaining("but for 1 that nobody can read");

        // when somebody has the key, then it may go
        second.heartbeat();
        moves.remove(SnapshotId.of(snapshot), nvme(first), "demoted");
        first.work();
        assertThat(state(nvme(first))).isEqualTo("-");
        assertThat(state(bucketStore())).isEqualTo("PRESENT");
    }

    @Test
    void aCopyThatWasFoundWrongStaysWhileNoOtherOneCanBeRead() {
        // given that the bucket's copy is wrong, and the node that has the other one is not heard
        copy(first, bucketStore());
        first.work();
        jdbc.sql(
                        "UPDATE snapshot_location SET state = 'CORRUPT', damage = 'the test' WHERE snapshot_id = ?::uuid AND store_id = ?")
                .params(snapshot, bucketStore().value())
                .update();
        jdbc.sql("UPDATE node SET state = 'SILENT' WHERE id = ?::uuid")
                .param(first.id())
                .update();

        // then it is not given up for a repair that nobody could do
        assertThatThrownBy(() -> moves.remove(SnapshotId.of(snapshot), bucketStore(), "repair"))
                .isInstanceOf(ApiException.class)
                .hasMessage("It is corrupt, and there is no good copy of snapshot " + snapshot
                        + " to make it anew from but for 1 in stores that do not answer.");

        // when that is heard again
        first.heartbeat();
        moves.remove(SnapshotId.of(snapshot), bucketStore(), "repair");
        assertThat(state(bucketStore())).isEqualTo("-");
    }

    @Test
    void aCopyThatNobodyCanReadMayGo() {
        first.holdsKeysOf("tenant-a", "signer");
        first.heartbeat();
        copy(first, bucketStore());
        first.work();
        for (FakeDaemon one : List.of(first, second)) {
            one.holdsKeysOf("tenant-b", "signer");
            one.heartbeat();
        }

        moves.remove(SnapshotId.of(snapshot), bucketStore(), "nobody can read it");

        assertThat(state(bucketStore())).isEqualTo("-");
        assertThat(state(nvme(first))).isEqualTo("PRESENT");
    }

    @Test
    void anUrgentMoveIsToldTheNodesBoundAsWell() {
        copy(first, bucketStore(), TransferPriority.URGENT);

        assertThat(first.claim("TRANSFER")
                        .orElseThrow()
                        .at("/transfer/maxBytesPerSecond")
                        .asLong())
                .isEqualTo(1L << 30);
    }

    @Test
    void ofTwoWhoAskForACopyOneIsToldThatItIsOnItsWay() {
        copy(first, bucketStore());

        assertThatThrownBy(() -> copy(second, bucketStore()))
                .isInstanceOf(ApiException.class)
                .hasMessageContaining("no copy");
        second.heartbeat();
        assertThatThrownBy(() -> copy(first, bucketStore()))
                .isInstanceOf(ApiException.class)
                .hasMessageContaining("on its way");
    }

    @Test
    void anOlderDaemonIsAskedForNoMove() {
        SimulatedNode old = SimulatedNode.register(api);
        old.heartbeat().expect(200);

        assertThatThrownBy(() -> moves.copy(new Moves.Copy(
                        SnapshotId.of(snapshot),
                        NodeId.of(old.id()),
                        Store.ownOf(NodeId.of(old.id()), Inventory.TierKind.NVME),
                        null,
                        TransferPriority.NORMAL,
                        "-")))
                .isInstanceOf(ApiException.class)
                .hasMessageContaining("cannot do transfer");
    }

    @Test
    void anUnhealthyTierIsAskedForNothing() {
        first.tierHealth("s3", "UNHEALTHY");
        first.heartbeat();

        assertThatThrownBy(() -> copy(first, bucketStore()))
                .isInstanceOf(ApiException.class)
                .hasMessageContaining("as the test wants it");
    }

    @Test
    void aTransferThatFailsLeavesNoCopyAndTheSourceAsItWas() {
        copy(first, bucketStore());
        first.node()
                .fail(first.claim("TRANSFER").orElseThrow(), "TIER_UNAVAILABLE")
                .expect(204);

        assertThat(state(bucketStore())).isEqualTo("-");
        assertThat(state(nvme(first))).isEqualTo("PRESENT");
    }

    @Test
    void theLastGoodCopyIsNeverRemoved() {
        assertThatThrownBy(() -> moves.remove(SnapshotId.of(snapshot), nvme(first), "-"))
                .isInstanceOf(ApiException.class)
                .hasMessageContaining("last good copy");
    }

    @Test
    void aCopyOnALostNodeIsNotReliedOn() {
        // given a second copy, and the node of the first one lost
        copy(first, bucketStore());
        first.work();
        lose(first);

        assertThatThrownBy(() -> moves.remove(SnapshotId.of(snapshot), bucketStore(), "-"))
                .isInstanceOf(ApiException.class)
                .hasMessageContaining("last good copy");
    }

    private void lose(FakeDaemon daemon) {
        jdbc.sql("UPDATE node SET state = 'LOST' WHERE id = ?::uuid")
                .param(daemon.id())
                .update();
    }

    @Test
    void whatOnlyALostNodeHasIsDeletedAtOnceAndTheNodeIsToldWhenItIsBack() {
        // given
        lose(first);

        // when
        delete().expect(204);

        // then nobody was asked to do it
        assertThat(catalogue.snapshot(snapshot).path("state").asString()).isEqualTo("DELETED");
        assertThat(second.work()).isZero();

        // when the node is back with it, then it clears it away
        first.heartbeat();
        first.work();
        assertThat(first.done()).contains("EVICT " + snapshot);
        assertThat(first.own()).isEmpty();
    }

    @Test
    void aCopyIsRemovedWhenAnotherIsGoodAndNobodyReadsIt() {
        // given a second copy, and a thaw that waits
        copy(first, bucketStore());
        first.work();
        catalogue.restore(snapshot).expect(202);
        assertThatThrownBy(() -> moves.remove(SnapshotId.of(snapshot), nvme(first), "-"))
                .isInstanceOf(ApiException.class)
                .hasMessageContaining("reads snapshot");
        first.work();

        // when
        moves.remove(SnapshotId.of(snapshot), nvme(first), "demoted");
        String meanwhile = state(nvme(first));
        first.work();

        // then
        assertThat(meanwhile).isEqualTo("REMOVING");
        assertThat(state(nvme(first))).isEqualTo("-");
        assertThat(first.own()).isEmpty();
        assertThat(catalogue.snapshot(snapshot).path("state").asString()).isEqualTo("READY");
    }

    @Test
    void aCopyFoundWrongDoesNotCostTheSnapshotThatHasAnother() {
        // given two copies
        copy(first, bucketStore());
        first.work();

        // when a thaw that went well tells of a bad chunk
        catalogue.restore(snapshot).expect(202);
        JsonNode thaw = first.claim("THAW").orElseThrow();
        first.node()
                .complete(
                        thaw,
                        Map.of(
                                "outcome", "SUCCEEDED",
                                "thaw", Map.of("pid", 77, "startTimeTicks", 1, "workloadName", "w", "seconds", 1.0),
                                "damaged",
                                        List.of(Map.of(
                                                "snapshotId",
                                                snapshot,
                                                "storeId",
                                                first.ownStore(),
                                                "detail",
                                                "chunk abab… has another digest"))))
                .expect(204);

        // then that copy is not read again, and the snapshot stays READY
        assertThat(state(nvme(first))).isEqualTo("CORRUPT");
        assertThat(location(nvme(first)).path("damage").asString()).contains("abab…");
        assertThat(catalogue.snapshot(snapshot).path("state").asString()).isEqualTo("READY");
        first.heartbeat();
        assertThat(state(nvme(first))).isEqualTo("CORRUPT");
    }

    @Test
    void withItsLastGoodCopyASnapshotIsQuarantined() {
        catalogue.restore(snapshot).expect(202);

        first.node().fail(first.claim("THAW").orElseThrow(), "CHUNK_CORRUPT").expect(204);

        assertThat(state(nvme(first))).isEqualTo("CORRUPT");
        assertThat(catalogue.snapshot(snapshot).path("state").asString()).isEqualTo("QUARANTINED");
    }

    @Test
    void deletionReachesEveryNodeAndTheBucket() {
        // given copies on both nodes and in the bucket
        copy(first, bucketStore());
        first.work();
        copy(second, nvme(second));
        second.work();

        // when
        delete().expect(202);
        first.work();
        String half = catalogue.snapshot(snapshot).path("state").asString();
        second.work();

        // then
        assertThat(half).isEqualTo("DELETING");
        assertThat(catalogue.snapshot(snapshot).path("state").asString()).isEqualTo("DELETED");
        assertThat(catalogue.snapshot(snapshot).path("locations")).isEmpty();
        assertThat(first.own()).isEmpty();
        assertThat(second.own()).isEmpty();
    }

    @Test
    void aNodeThatComesBackWithADeletedSnapshotIsToldToRemoveIt() {
        delete().expect(202);
        first.node()
                .complete(first.claim("DELETE").orElseThrow(), Map.of("outcome", "SUCCEEDED"))
                .expect(204);

        first.heartbeat();
        first.work();

        assertThat(first.own()).isEmpty();
        assertThat(first.done()).containsExactly("EVICT " + snapshot);
    }

    @Test
    void aReportThatWasOnItsWayDoesNotBringBackACopyThatWasEvicted() {
        // given a snapshot that has another copy, and left the node's own store
        first.heartbeat();
        copy(first, bucketStore());
        first.work();
        moves.remove(SnapshotId.of(snapshot), nvme(first), "-");
        first.work();
        assertThat(first.own()).isEmpty();

        // when a heartbeat comes that was written before
        first.own().add(snapshot);
        first.heartbeat();
        first.own().remove(snapshot);

        // then nobody would look for it there, and find it missing
        assertThat(catalogue.snapshot(snapshot).path("locations"))
                .allSatisfy(
                        location -> assertThat(location.path("kind").asString()).isEqualTo("S3"));
    }

    @Test
    void aNodeThatEndedASaveWhichWasGivenUpIsToldToRemoveIt() {
        // given a save that failed for the service, and whose snapshot its daemon committed before it learned that
        String workload = first.node().runs(SimulatedNode.process(12, "late"));
        String late =
                catalogue.save(workload, "criu+cuda").json().at("/snapshot/id").asString();
        first.node().fail(first.claim("SAVE").orElseThrow(), "INTERNAL").expect(204);
        first.own().add(late);

        // when
        first.heartbeat();
        first.work();

        // then
        assertThat(first.own()).containsExactly(snapshot);
    }

    @Test
    void whatMemoryHoldsWholeIsACopyButNotADurableOne() {
        first.memory().add(snapshot);
        first.heartbeat();

        assertThat(state(Store.ownOf(NodeId.of(first.id()), Inventory.TierKind.MEMORY)))
                .isEqualTo("PRESENT");
        assertThatThrownBy(() -> moves.remove(SnapshotId.of(snapshot), nvme(first), "-"))
                .isInstanceOf(ApiException.class)
                .hasMessageContaining("last good copy");
    }

    @Test
    void sizesTellWhatOtherSnapshotsShare() {
        // the second snapshot of these tests has the same chunks
        first.save(catalogue, 12);

        JsonNode sizes = catalogue.snapshot(snapshot).path("sizes");

        assertThat(sizes.path("logicalBytes").asLong()).isEqualTo(8392704);
        assertThat(sizes.path("uniqueBytes").asLong()).isZero();
        assertThat(sizes.path("sharedBytes").asLong()).isPositive();
    }

    @Test
    void aStoreThatIsNotSeenCannotBeCopiedTo() {
        assertThatThrownBy(() -> copy(first, new StoreId(UUID.randomUUID())))
                .isInstanceOf(ApiException.class)
                .hasMessageContaining("does not see store");
    }
}
