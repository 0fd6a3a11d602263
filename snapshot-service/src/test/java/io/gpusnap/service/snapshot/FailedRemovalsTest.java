package io.gpusnap.service.snapshot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.node.NodeState;
import io.gpusnap.service.node.NodeStateChanged;
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
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.support.TransactionTemplate;
import tools.jackson.databind.JsonNode;

@ServiceTest
class FailedRemovalsTest {
    @Autowired
    private Api api;

    @Autowired
    private Moves moves;

    @Autowired
    private JdbcClient jdbc;

    @Autowired
    private TransactionTemplate transaction;

    @Autowired
    private ApplicationEventPublisher events;

    private final FakeSharedStore bucket = new FakeSharedStore();
    private Catalogue catalogue;
    private FakeDaemon daemon;
    private String snapshot;
    private StoreId own;

    @BeforeEach
    void givenASnapshotOnANodeAndInABucket() {
        catalogue = Catalogue.create(api);
        daemon = FakeDaemon.start(api, bucket);
        snapshot = daemon.save(catalogue, 11);
        own = ownStore(Inventory.TierKind.NVME);
        copy(new StoreId(bucket.id()));
        daemon.work();
    }

    private StoreId ownStore(Inventory.TierKind kind) {
        return Store.ownOf(NodeId.of(daemon.id()), kind);
    }

    private void copy(StoreId to) {
        moves.copy(new Moves.Copy(
                SnapshotId.of(snapshot),
                NodeId.of(daemon.id()),
                to,
                null,
                TransferPriority.NORMAL,
                "the test wants it"));
    }

    private Operation remove(StoreId store) {
        return moves.remove(SnapshotId.of(snapshot), store, "demoted").orElseThrow();
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

    /** Its node claims the removal and is not heard of it again. */
    private JsonNode claimedAndGivenUp(StoreId store) {
        remove(store);
        JsonNode task = daemon.claim("EVICT").orElseThrow();
        String id = task.path("operationId").asString();
        // Past the service's own start, too: a lease is never held to have run out while the service was away.
        await().atMost(Duration.ofSeconds(60)).until(() -> {
            jdbc.sql("UPDATE operation SET attempt = 3, lease_until = now() - interval '1 hour'"
                            + " WHERE id = ?::uuid AND state = 'RUNNING'")
                    .param(id)
                    .update();
            return catalogue.operation(id).path("state").asString().equals("FAILED");
        });
        assertThat(catalogue.operation(id).at("/failure/code").asString()).isEqualTo("LEASE_LOST");
        return task;
    }

    /** As if the node had said since a minute ago what it said last. */
    private void aMinutePasses() {
        jdbc.sql("UPDATE snapshot_location SET let_go_at = let_go_at - interval '1 minute' WHERE snapshot_id = ?::uuid")
                .param(snapshot)
                .update();
    }

    private void theNodeSaysForAMinuteWhatItHas() {
        daemon.heartbeat();
        aMinutePasses();
        daemon.heartbeat();
    }

    private void assertThatItCountsForNothing() {
        assertThat(state(own)).isEqualTo("REMOVING");
        assertThatThrownBy(() -> moves.remove(SnapshotId.of(snapshot), new StoreId(bucket.id()), "-"))
                .isInstanceOf(ApiException.class)
                .hasMessageContaining("last good copy");
    }

    @Test
    void aDaemonThatWasGivenUpMayStillRemoveTheCopySoItDoesNotCount() {
        // when
        JsonNode task = claimedAndGivenUp(own);

        // then, and while the daemon says that it is at it
        assertThatItCountsForNothing();
        daemon.heartbeatAtWorkOn(task);
        aMinutePasses();
        daemon.heartbeatAtWorkOn(task);
        assertThatItCountsForNothing();

        // and when it no longer says so, then not from one report, which may have been on its way
        daemon.heartbeat();
        daemon.heartbeat();
        assertThatItCountsForNothing();
    }

    @Test
    void aDaemonThatIsFoundAtItAfterAllBeginsAnew() {
        JsonNode task = claimedAndGivenUp(own);
        daemon.heartbeat();
        aMinutePasses();

        daemon.heartbeatAtWorkOn(task);
        daemon.heartbeat();

        assertThatItCountsForNothing();
    }

    @Test
    void whatTheNodeStillHasIsThereAgainForTheReasonThatItWasMadeFor() {
        // given a copy that was asked for
        StoreId memory = ownStore(Inventory.TierKind.MEMORY);
        copy(memory);
        daemon.work();
        daemon.heartbeat();

        // when its removal is given up
        claimedAndGivenUp(memory);
        String whileItGoes = location(memory).path("reason").asString();
        theNodeSaysForAMinuteWhatItHas();

        // then
        assertThat(whileItGoes).isEqualTo("demoted");
        assertThat(state(memory)).isEqualTo("PRESENT");
        assertThat(location(memory).path("reason").asString()).isEqualTo("the test wants it");

        // and it may be removed anew
        remove(memory);
        daemon.work();
        assertThat(state(memory)).isEqualTo("-");
    }

    @Test
    void whatTheNodeHasRemovedAfterAllIsGoneAndMayBeMadeAnew() {
        claimedAndGivenUp(own);
        daemon.own().remove(snapshot);

        theNodeSaysForAMinuteWhatItHas();

        assertThat(state(own)).isEqualTo("-");
        copy(own);
        daemon.work();
        assertThat(state(own)).isEqualTo("PRESENT");
    }

    @Test
    void aNodeThatWasLostSaysWhatItHasWhenItIsHeardAgain() {
        // given
        remove(own);
        assertThat(daemon.claim("EVICT")).isPresent();
        jdbc.sql("UPDATE node SET state = 'LOST' WHERE id = ?::uuid")
                .param(daemon.id())
                .update();
        transaction.executeWithoutResult(status -> events.publishEvent(
                new NodeStateChanged(NodeId.of(daemon.id()), daemon.node().name(), NodeState.LOST)));
        assertThat(state(own)).isEqualTo("REMOVING");

        // when it registers anew, which says nothing of what it is at
        daemon.restart();
        assertThatItCountsForNothing();
        aMinutePasses();
        daemon.heartbeat();

        // then
        assertThat(state(own)).isEqualTo("PRESENT");
    }

    @Test
    void aRemovalThatItsNodeReportsAsFailedMayHaveTakenAPartOfTheCopy() {
        remove(own);
        daemon.node().fail(daemon.claim("EVICT").orElseThrow(), "STORE_ERROR").expect(204);

        assertThatItCountsForNothing();
        theNodeSaysForAMinuteWhatItHas();

        assertThat(state(own)).isEqualTo("PRESENT");
    }

    @Test
    void whatWasFoundWrongBeforeIsSoAgain() {
        // given
        catalogue.restore(snapshot).expect(202);
        daemon.node()
                .complete(
                        daemon.claim("THAW").orElseThrow(),
                        Map.of(
                                "outcome",
                                "SUCCEEDED",
                                "thaw",
                                Map.of("pid", 77, "startTimeTicks", 1, "workloadName", "w", "seconds", 1.0),
                                "damaged",
                                List.of(Map.of(
                                        "snapshotId",
                                        snapshot,
                                        "storeId",
                                        daemon.ownStore(),
                                        "detail",
                                        "chunk abab… has another digest"))))
                .expect(204);

        // when
        claimedAndGivenUp(own);
        theNodeSaysForAMinuteWhatItHas();

        // then
        assertThat(state(own)).isEqualTo("CORRUPT");
        assertThat(location(own).path("damage").asString()).contains("abab…");
    }

    @Test
    void aNodeThatDoesNotKnowWhatItHasChangesNothing() {
        // given
        claimedAndGivenUp(own);
        daemon.heartbeat();
        aMinutePasses();

        // when
        daemon.node().heartbeat(SimulatedNode.process(11, "w-11")).expect(200);
        assertThat(state(own)).isEqualTo("REMOVING");

        // then it waits for one that knows
        daemon.heartbeat();
        assertThat(state(own)).isEqualTo("PRESENT");
    }

    @Test
    void aRemovalThatNobodyHadBegunLeavesTheCopyAsItWas() {
        Operation operation = remove(own);

        api.post("/api/v1/operations/" + operation.id() + "/cancellation").expect(200);

        assertThat(state(own)).isEqualTo("PRESENT");
    }
}
