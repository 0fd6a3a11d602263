package io.gpusnap.service.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.Catalogue;
import io.gpusnap.service.testing.ServiceTest;
import io.gpusnap.service.testing.SimulatedNode;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.support.TransactionTemplate;
import tools.jackson.databind.JsonNode;

@ServiceTest
class NodeSilenceTest {
    @Autowired
    private Api api;

    @Autowired
    private JdbcClient jdbc;

    @Autowired
    private NodeRepository nodes;

    @Autowired
    private NodeSettings settings;

    @Autowired
    private ApplicationEventPublisher events;

    @Autowired
    private TransactionTemplate transaction;

    private Catalogue catalogue;
    private SimulatedNode node;
    private String workload;

    @BeforeEach
    void givenANodeWithARunningWorkload() {
        catalogue = Catalogue.create(api);
        node = SimulatedNode.register(api);
        workload = node.runs(SimulatedNode.process(1, "w"));
    }

    private void look(Instant listeningSince) {
        SilenceWatch watch = new SilenceWatch(nodes, settings, events, transaction, listeningSince);
        watch.look();
    }

    private void silentFor(Duration time) {
        silentFor(node, time);
    }

    private void silentFor(SimulatedNode node, Duration time) {
        jdbc.sql("UPDATE node SET last_heartbeat_at = now() - make_interval(secs => ?) WHERE id = ?::uuid")
                .param(time.toSeconds())
                .param(node.id())
                .update();
    }

    private String state(String path) {
        return api.get(path).expect(200).json().path("state").asString();
    }

    @Test
    void pastTheGraceANodeIsSilentItsWorkloadsAreUnknownAndItGetsNothingNew() {
        silentFor(settings.grace().plusMinutes(1));

        look(Instant.EPOCH);

        assertThat(state("/api/v1/nodes/" + node.id())).isEqualTo("SILENT");
        assertThat(state("/api/v1/workloads/" + workload)).isEqualTo("UNKNOWN");
        assertThat(catalogue.save(workload, "criu+cuda").code()).isEqualTo("NODE_SILENT");
    }

    @Test
    void aLostNodesOperationsFailAndItsLateReportsAreRefused() {
        // given a running save
        String snapshot =
                catalogue.save(workload, "criu+cuda").json().at("/snapshot/id").asString();
        JsonNode task = node.claim();
        silentFor(settings.lostAfter().plusMinutes(1));

        // when the node is lost
        look(Instant.EPOCH);
        look(Instant.EPOCH);

        // then its work is given up
        JsonNode operation = catalogue.operation(task.path("operationId").asString());
        assertThat(state("/api/v1/nodes/" + node.id())).isEqualTo("LOST");
        assertThat(state("/api/v1/workloads/" + workload)).isEqualTo("LOST");
        assertThat(operation.path("state").asString()).isEqualTo("FAILED");
        assertThat(operation.at("/failure/code").asString()).isEqualTo("NODE_LOST");
        assertThat(catalogue.snapshot(snapshot).path("state").asString()).isEqualTo("FAILED");

        // and what the daemon says of it later changes nothing
        assertThat(node.saved(task).code()).isEqualTo("STALE_EPOCH");
        assertThat(node.progress(task).code()).isEqualTo("STALE_EPOCH");
        JsonNode reply = node.heartbeat(
                        SimulatedNode.inventory(Map.of("criu+cuda", "")),
                        java.util.List.of(SimulatedNode.process(1, "w")),
                        java.util.List.of(Map.of(
                                "operationId", task.path("operationId").asString(),
                                "epoch", task.path("epoch").asLong())))
                .expect(200)
                .json();
        assertThat(reply.at("/fencedOperations/0").asString())
                .isEqualTo(task.path("operationId").asString());
        assertThat(catalogue.snapshot(snapshot).path("state").asString()).isEqualTo("FAILED");

        // and the heartbeat brought node and workload back
        assertThat(state("/api/v1/nodes/" + node.id())).isEqualTo("ONLINE");
        assertThat(state("/api/v1/workloads/" + workload)).isEqualTo("RUNNING");
    }

    @Test
    void eachNodeIsFoundInATransactionOfItsOwn() throws Exception {
        // given two, the second of which somebody has locked
        SimulatedNode second = SimulatedNode.register(api);
        assertThat(second.id()).isGreaterThan(node.id());
        silentFor(node, settings.grace().plusMinutes(1));
        silentFor(second, settings.grace().plusMinutes(1));

        // when
        Thread watch = transaction.execute(status -> {
            jdbc.sql("SELECT 1 FROM node WHERE id = ?::uuid FOR UPDATE")
                    .param(second.id())
                    .query(Integer.class)
                    .single();
            Thread looking = Thread.ofVirtual().start(() -> look(Instant.EPOCH));
            await().atMost(Duration.ofSeconds(60))
                    .until(() -> state("/api/v1/nodes/" + node.id()).equals("SILENT"));
            return looking;
        });
        watch.join();

        // then
        assertThat(state("/api/v1/nodes/" + second.id())).isEqualTo("SILENT");
    }

    @Test
    void theTimeInWhichTheServiceItselfWasAwayIsNotHeldAgainstANode() {
        silentFor(settings.lostAfter().plusMinutes(1));

        look(Instant.now());

        assertThat(state("/api/v1/nodes/" + node.id())).isEqualTo("ONLINE");
    }
}
