package io.gpusnap.service.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.service.node.NodeState;
import io.gpusnap.service.node.NodeStateChanged;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.Api.Reply;
import io.gpusnap.service.testing.Catalogue;
import io.gpusnap.service.testing.FakeDaemon;
import io.gpusnap.service.testing.ServiceTest;
import java.util.Optional;
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
        String path = "/api/v1/snapshots/" + snapshot;
        return api.with("If-Match", api.get(path).header("ETag")).delete(path);
    }

    private void fail() {
        daemon.node().fail(daemon.claim("DELETE").orElseThrow(), "STORE_ERROR").expect(204);
    }

    private String state() {
        return catalogue.snapshot(snapshot).path("state").asString();
    }

    /** As if all that has happened had happened so much earlier. */
    private void pass(int seconds) {
        jdbc.sql(
                        "UPDATE snapshot_location SET let_go_at = let_go_at - make_interval(secs => ?) WHERE snapshot_id = ?::uuid")
                .param(seconds)
                .param(snapshot)
                .update();
        jdbc.sql(
                        "UPDATE operation SET finished_at = finished_at - make_interval(secs => ?) WHERE snapshot_id = ?::uuid")
                .param(seconds)
                .param(snapshot)
                .update();
    }

    /** It tells what it has, and tells it again so much later. */
    private void theNodeSaysFor(int seconds) {
        daemon.heartbeat();
        pass(seconds);
        daemon.heartbeat();
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

        assertThat(daemon.claim("DELETE")).isEmpty();
        assertThat(state()).isEqualTo("DELETING");
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
        daemon.heartbeatAtWorkOn(task);
        pass(3600);
        daemon.heartbeatAtWorkOn(task);

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

    @Test
    void aNodeThatIsLostIsNotWaitedFor() {
        jdbc.sql("UPDATE node SET state = 'LOST' WHERE id = ?::uuid")
                .param(daemon.id())
                .update();

        transaction.executeWithoutResult(status -> events.publishEvent(
                new NodeStateChanged(NodeId.of(daemon.id()), daemon.node().name(), NodeState.LOST)));

        assertThat(state()).isEqualTo("DELETED");
    }
}
