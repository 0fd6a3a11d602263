package io.gpusnap.service.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.Api.Reply;
import io.gpusnap.service.testing.Catalogue;
import io.gpusnap.service.testing.ServiceTest;
import io.gpusnap.service.testing.SimulatedNode;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;

/** What is known to fail is refused before anything is queued, with the reason. */
@ServiceTest
class SnapshotRefusalTest {
    @Autowired
    private Api api;

    private Catalogue catalogue;
    private SimulatedNode node;

    @BeforeEach
    void givenAModelVersionAndANode() {
        catalogue = Catalogue.create(api);
        node = SimulatedNode.register(api);
    }

    private void nothingWasQueued() {
        assertThat(node.poll(0).status()).isEqualTo(204);
        assertThat(api.get("/api/v1/snapshots?model=" + catalogue.model())
                        .json()
                        .path("items")
                        .size())
                .isZero();
    }

    @Test
    void aWorkloadThatIsUnknown() {
        assertThat(catalogue.save(UUID.randomUUID().toString(), "suspend").code())
                .isEqualTo("WORKLOAD_NOT_FOUND");
        nothingWasQueued();
    }

    @Test
    void aVersionThatIsUnknown() {
        String workload = node.runs(SimulatedNode.process(1, "w"));

        Reply reply = new Catalogue(api, catalogue.model(), "v9").save(workload, "suspend");

        assertThat(reply.code()).isEqualTo("VERSION_NOT_FOUND");
        nothingWasQueued();
    }

    @Test
    void aWorkloadThatDoesNotRun() {
        String workload = node.runs(SimulatedNode.process(1, "w"));
        Map<String, Object> suspended = SimulatedNode.process(1, "w");
        suspended.put("state", "SUSPENDED");
        node.heartbeat(suspended).expect(200);

        Reply reply = catalogue.save(workload, "suspend");

        assertThat(reply.code()).isEqualTo("WORKLOAD_NOT_RUNNING");
        assertThat(reply.json().path("detail").asString()).isEqualTo("Workload w is SUSPENDED.");
        nothingWasQueued();
    }

    @Test
    void aWorkloadThatTheDaemonWouldRefuseWithItsCodeAndReason() {
        Map<String, Object> process = SimulatedNode.process(1, "w");
        process.put(
                "refusals",
                List.of(
                        Map.of("code", "WORKLOAD_NOT_MANAGED", "detail", "runs without the preload"),
                        Map.of("code", "WORKLOAD_UNSUPPORTED", "detail", "uses io_uring")));
        String workload = node.runs(process);

        Reply reply = catalogue.save(workload, "criu+cuda");

        assertThat(reply.status()).isEqualTo(409);
        assertThat(reply.code()).isEqualTo("WORKLOAD_NOT_MANAGED");
        assertThat(reply.json().path("detail").asString()).contains("without the preload", "io_uring");
        nothingWasQueued();
    }

    @Test
    void anEngineThatTheNodeLacksWithItsReason() {
        String workload = node.runs(SimulatedNode.process(1, "w"));
        node.heartbeat(
                        SimulatedNode.inventory(Map.of("suspend", "", "criu+cuda", "criu 3.17 is too old")),
                        List.of(SimulatedNode.process(1, "w")),
                        List.of())
                .expect(200);

        Reply reply = catalogue.save(workload, "criu+cuda");

        assertThat(reply.code()).isEqualTo("CAPABILITY_MISSING");
        assertThat(reply.json().path("detail").asString()).contains("criu 3.17 is too old");
        nothingWasQueued();
    }

    @Test
    void anEngineThatNobodyKnows() {
        Reply reply = catalogue.save(node.runs(SimulatedNode.process(1, "w")), "docker");

        assertThat(reply.code()).isEqualTo("INVALID_REQUEST");
        assertThat(reply.json().at("/errors/0/pointer").asString()).isEqualTo("/engine");
    }

    @Test
    void aNodeThatIsCordoned() {
        String workload = node.runs(SimulatedNode.process(1, "w"));
        api.with("If-Match", "*")
                .patch("/api/v1/nodes/" + node.id(), Map.of("schedulable", false))
                .expect(200);

        assertThat(catalogue.save(workload, "suspend").code()).isEqualTo("NODE_UNSCHEDULABLE");
        nothingWasQueued();
    }

    @Test
    void aWorkloadThatAnotherOperationWorksOnEvenWhenManyAskAtOnce() throws Exception {
        String workload = node.runs(SimulatedNode.process(1, "w"));

        List<Reply> replies;
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Callable<Reply>> calls = IntStream.range(0, 6)
                    .<Callable<Reply>>mapToObj(i -> () -> catalogue.save(workload, "suspend"))
                    .toList();
            replies = threads.invokeAll(calls).stream().map(Future::resultNow).toList();
        }

        assertThat(replies.stream().filter(reply -> reply.status() == 202)).hasSize(1);
        assertThat(replies.stream().filter(reply -> reply.status() != 202).map(Reply::code))
                .hasSize(5)
                .containsOnly("WORKLOAD_BUSY");
        assertThat(api.get("/api/v1/snapshots?model=" + catalogue.model())
                        .json()
                        .path("items")
                        .size())
                .isEqualTo(1);
    }
}
