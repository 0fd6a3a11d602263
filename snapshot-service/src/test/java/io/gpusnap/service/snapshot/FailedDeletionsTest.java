package io.gpusnap.service.snapshot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.gpusnap.service.node.NodeState;
import io.gpusnap.service.node.NodeStateChanged;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.Api.Reply;
import io.gpusnap.service.testing.Catalogue;
import io.gpusnap.service.testing.FakeDaemon;
import io.gpusnap.service.testing.ServiceTest;
import io.gpusnap.service.testing.SimulatedNode;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.support.TransactionTemplate;
import tools.jackson.databind.JsonNode;

@ServiceTest
class FailedDeletionsTest {
    @Autowired
    private Api api;

    @Autowired
    private JdbcClient jdbc;

    @Autowired
    private TransactionTemplate transaction;

    @Autowired
    private ApplicationEventPublisher events;

    @Autowired
    private UnfinishedDeletions unfinished;

    @Autowired
    private SnapshotMetrics metrics;

    @Autowired
    private MeterRegistry registry;

    private Catalogue catalogue;
    private FakeDaemon daemon;
    private String snapshot;

    @BeforeEach
    void givenASnapshotWhoseDeletionItsNodeReportsAsFailed() {
        catalogue = Catalogue.create(api);
        daemon = FakeDaemon.start(api, null);
        snapshot = daemon.save(catalogue, 11);
        delete().expect(202);
        fail();
    }

    private Reply delete() {
        return delete(snapshot);
    }

    private Reply delete(String id) {
        String path = "/api/v1/snapshots/" + id;
        return api.with("If-Match", api.get(path).header("ETag")).delete(path);
    }

    private void fail() {
        fail(daemon);
    }

    private static void fail(FakeDaemon node) {
        node.node().fail(node.claim("DELETE").orElseThrow(), "STORE_ERROR").expect(204);
    }

    private String state() {
        return state(snapshot);
    }

    private String state(String id) {
        return catalogue.snapshot(id).path("state").asString();
    }

    /** As if all that has happened had happened so much earlier. */
    private void pass(int seconds) {
        jdbc.sql(
                        "UPDATE snapshot_location SET let_go_at = let_go_at - make_interval(secs => ?) WHERE let_go_at IS NOT NULL")
                .param(seconds)
                .update();
        jdbc.sql(
                        "UPDATE operation SET finished_at = finished_at - make_interval(secs => ?) WHERE snapshot_id = ?::uuid")
                .param(seconds)
                .param(snapshot)
                .update();
        jdbc.sql("UPDATE node SET last_heartbeat_at = last_heartbeat_at - make_interval(secs => ?) WHERE id = ?::uuid")
                .param(seconds)
                .param(daemon.id())
                .update();
    }

    /** It tells what it has, and tells it again so much later. */
    private void theNodeSaysFor(int seconds) {
        daemon.heartbeat();
        pass(seconds);
        daemon.heartbeat();
        unfinished.goOn();
    }

    @Test
    void nothingIsDamagedAndTheLocationSaysWhatTheNodeSaid() {
        assertThat(state()).isEqualTo("DELETING");
        assertThat(catalogue.snapshot(snapshot).path("failure").isMissingNode()).isTrue();
        JsonNode location = catalogue.snapshot(snapshot).at("/locations/0");
        assertThat(location.path("state").asString()).isEqualTo("REMOVING");
        assertThat(location.path("reason").asString()).endsWith("The node could not yet: simulated");
        assertThat(location.path("damage").isMissingNode()).isTrue();
    }

    @Test
    void whatTheNodeStillHasIsDeletedByTheNextTry() {
        // when
        theNodeSaysFor(60);

        // then
        assertThat(daemon.work()).isEqualTo(1);
        assertThat(daemon.done()).endsWith("DELETE " + snapshot);
        assertThat(state()).isEqualTo("DELETED");
    }

    @Test
    void oneReportMayHaveBeenOnItsWay() {
        daemon.heartbeat();
        daemon.heartbeat();
        unfinished.goOn();

        assertThat(daemon.claim("DELETE")).isEmpty();
        assertThat(state()).isEqualTo("DELETING");
    }

    @Test
    void oneReportThatLacksItMayHaveBeenOnItsWayToo() {
        daemon.own().remove(snapshot);

        daemon.heartbeat();
        daemon.heartbeat();
        unfinished.goOn();

        assertThat(state()).isEqualTo("DELETING");
    }

    @Test
    void whoIsNotHeardSaysNothing() {
        // given one report that lacks it, and silence
        daemon.own().remove(snapshot);
        daemon.heartbeat();
        pass(60);

        // when
        unfinished.goOn();
        String meanwhile = state();
        daemon.heartbeat();
        unfinished.goOn();

        // then
        assertThat(meanwhile).isEqualTo("DELETING");
        assertThat(state()).isEqualTo("DELETED");
    }

    @Test
    void aNodeThatDoesNotSayWhatItHasIsToldAgain() {
        // given
        Map<String, Object> inventory = SimulatedNode.inventory(Map.of("criu+cuda", ""));
        assertThat(inventory).doesNotContainKey("snapshots");

        // when
        daemon.node().heartbeat(inventory, List.of(), List.of()).expect(200);
        pass(60);
        daemon.node().heartbeat(inventory, List.of(), List.of()).expect(200);
        unfinished.goOn();

        // then
        assertThat(daemon.work()).isEqualTo(1);
        assertThat(state()).isEqualTo("DELETED");
    }

    @Test
    void eachFailureDoublesThePause() {
        // given three more
        for (int pause = 20; pause < 160; pause *= 2) {
            theNodeSaysFor(pause);
            fail();
        }

        // when
        theNodeSaysFor(100);
        Optional<JsonNode> early = daemon.claim("DELETE");
        theNodeSaysFor(60);

        // then
        assertThat(early).isEmpty();
        assertThat(daemon.work()).isEqualTo(1);
        assertThat(state()).isEqualTo("DELETED");
    }

    @Test
    void whatTheNodeDoesNotHaveAnyMoreIsDeleted() {
        daemon.own().remove(snapshot);

        theNodeSaysFor(60);

        assertThat(state()).isEqualTo("DELETED");
        assertThat(daemon.claim("DELETE")).isEmpty();
    }

    @Test
    void aNodeThatIsStillAtItIsNotToldAgain() {
        // given a second try, which its node goes on with after it was given up
        theNodeSaysFor(60);
        JsonNode task = daemon.claim("DELETE").orElseThrow();
        daemon.node().fail(task, "STORE_ERROR").expect(204);

        // when
        daemon.heartbeat();
        daemon.heartbeatAtWorkOn(task);
        pass(1800);
        daemon.heartbeatAtWorkOn(task);
        unfinished.goOn();

        // then
        assertThat(daemon.claim("DELETE")).isEmpty();
        assertThat(state()).isEqualTo("DELETING");
    }

    @Test
    void whoDoesNotWaitDeletesItOnceMore() {
        delete().expect(202);
        assertThat(delete().code()).isEqualTo("CONFLICT");

        assertThat(daemon.work()).isEqualTo(1);
        assertThat(state()).isEqualTo("DELETED");
    }

    /** As the service does when it has not heard it for long. */
    private void lose() {
        transaction.executeWithoutResult(status -> {
            jdbc.sql("UPDATE node SET state = 'LOST' WHERE id = ?::uuid")
                    .param(daemon.id())
                    .update();
            events.publishEvent(
                    new NodeStateChanged(NodeId.of(daemon.id()), daemon.node().name(), NodeState.LOST));
        });
    }

    @Test
    void aNodeThatIsLostIsNotWaitedFor() {
        lose();
        unfinished.goOn();

        assertThat(state()).isEqualTo("DELETED");
    }

    @Test
    void norIsOneThatIsLostWhileItIsAtIt() {
        // given
        String other = daemon.save(catalogue, 12);
        delete(other).expect(202);
        assertThat(daemon.claim("DELETE")).isPresent();
        delete().expect(202);

        // when it is given up with all else that the node was at, then neither ends in that transaction
        lose();
        assertThat(List.of(state(), state(other))).containsOnly("DELETING");
        unfinished.goOn();

        // then
        assertThat(state()).isEqualTo("DELETED");
        assertThat(state(other)).isEqualTo("DELETED");
    }

    @Test
    void whatAReplicaOfAnOlderVersionHasMadeACopyAgainIsDeletedAllTheSame() {
        // given
        jdbc.sql("""
                        UPDATE snapshot_location SET state = 'PRESENT', removal_reason = NULL, removal_failed = false, let_go_at = NULL
                         WHERE snapshot_id = ?::uuid
                        """).param(snapshot).update();

        // when
        unfinished.goOn();
        String location = catalogue.snapshot(snapshot).at("/locations/0/state").asString();
        theNodeSaysFor(60);

        // then
        assertThat(location).isEqualTo("REMOVING");
        assertThat(daemon.work()).isEqualTo(1);
        assertThat(state()).isEqualTo("DELETED");
    }

    @Test
    void whatNobodyIsSaidToHaveIsDeletedAnewWhereItWasTaken() {
        // given
        jdbc.sql("DELETE FROM snapshot_location WHERE snapshot_id = ?::uuid")
                .param(snapshot)
                .update();

        // when
        unfinished.goOn();
        Optional<JsonNode> early = daemon.claim("DELETE");
        pass(60);
        unfinished.goOn();

        // then
        assertThat(early).isEmpty();
        assertThat(daemon.work()).isEqualTo(1);
        assertThat(state()).isEqualTo("DELETED");
    }

    @Test
    void eachNodeIsToldByWhatItHasItself() {
        // given a second snapshot, which two nodes have, both of which could not delete it
        snapshot = daemon.save(catalogue, 12);
        FakeDaemon second = FakeDaemon.start(api, null);
        second.own().add(snapshot);
        second.heartbeat();
        delete().expect(202);
        fail(daemon);
        fail(second);

        // when one has nothing of it any more
        daemon.own().remove(snapshot);
        second.heartbeat();
        theNodeSaysFor(60);
        second.heartbeat();
        unfinished.goOn();

        // then
        assertThat(daemon.done()).doesNotContain("DELETE " + snapshot);
        assertThat(state()).isEqualTo("DELETING");
        assertThat(catalogue.snapshot(snapshot).path("locations")).hasSize(1);
        assertThat(second.work()).isEqualTo(1);
        assertThat(state()).isEqualTo("DELETED");
    }

    @Test
    void oneThatSomebodyHasLockedHoldsUpNoOtherThatIsDone() throws Exception {
        // given two of one node, which has neither any more
        String later = daemon.save(catalogue, 12);
        delete(later).expect(202);
        fail();
        daemon.own().clear();
        daemon.heartbeat();
        pass(60);
        daemon.heartbeat();

        // when
        Thread job = transaction.execute(status -> {
            jdbc.sql("SELECT 1 FROM snapshot WHERE id = ?::uuid FOR UPDATE")
                    .param(later)
                    .query(Integer.class)
                    .single();
            Thread running = Thread.ofVirtual().start(unfinished::goOn);
            await().atMost(Duration.ofSeconds(60)).until(() -> state().equals("DELETED"));
            assertThat(state(later)).isEqualTo("DELETING");
            return running;
        });
        job.join();

        // then
        assertThat(state(later)).isEqualTo("DELETED");
    }

    @Test
    void howOldTheOldestOneIsIsTold() {
        jdbc.sql("UPDATE snapshot SET updated_at = updated_at - interval '10 hours' WHERE id = ?::uuid")
                .param(snapshot)
                .update();

        metrics.readDeletions();

        assertThat(registry.get(SnapshotMetrics.OLDEST_DELETION).timeGauge().value(TimeUnit.HOURS))
                .isGreaterThanOrEqualTo(10);
    }

    @Test
    void aReportThatSaysNothingNewWritesNothing() {
        daemon.heartbeat();
        String written = version();

        daemon.heartbeat();

        assertThat(version()).isEqualTo(written);
    }

    /** Another one after each change of the row. */
    private String version() {
        return jdbc.sql("SELECT xmin::text FROM snapshot_location WHERE snapshot_id = ?::uuid")
                .param(snapshot)
                .query(String.class)
                .single();
    }
}
