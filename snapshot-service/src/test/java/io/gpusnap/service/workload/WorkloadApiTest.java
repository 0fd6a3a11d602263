package io.gpusnap.service.workload;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.ServiceTest;
import io.gpusnap.service.testing.SimulatedNode;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import tools.jackson.databind.JsonNode;

@ServiceTest
class WorkloadApiTest {
    @Autowired
    private Api api;

    @Test
    void aProcessKeepsItsIdWhileItIsTheSameProcess() {
        // given
        SimulatedNode node = SimulatedNode.register(api);
        Map<String, Object> process = SimulatedNode.process(10, "llm");
        String first = node.runs(process);

        // when it is reported again with more memory, and then its pid is another process
        process.put("managedBytes", 99);
        String same = node.runs(process);
        Map<String, Object> reused = SimulatedNode.process(10, "llm");
        reused.put("startTimeTicks", 5);
        node.heartbeat(reused).expect(200);

        // then
        assertThat(same).isEqualTo(first);
        assertThat(api.get("/api/v1/workloads/" + first)
                        .json()
                        .path("managedBytes")
                        .asLong())
                .isEqualTo(99);
        assertThat(api.get("/api/v1/workloads?node=" + node.id())
                        .json()
                        .path("items")
                        .size())
                .isEqualTo(2);
    }

    @Test
    void aProcessThatIsReportedTwiceIsOneRow() {
        SimulatedNode node = SimulatedNode.register(api);

        node.heartbeat(SimulatedNode.process(1, "a"), SimulatedNode.process(1, "b"))
                .expect(200);

        assertThat(api.get("/api/v1/workloads?node=" + node.id())
                        .json()
                        .path("items")
                        .valueStream()
                        .map(item -> item.path("name").asString()))
                .containsExactly("b");
    }

    @Test
    void whatIsNoLongerReportedIsGone() {
        SimulatedNode node = SimulatedNode.register(api);
        String id = node.runs(SimulatedNode.process(11, "llm"));

        await().atMost(Duration.ofSeconds(60)).untilAsserted(() -> {
            node.heartbeat().expect(200);
            assertThat(api.get("/api/v1/workloads/" + id).json().path("state").asString())
                    .isEqualTo("GONE");
        });
    }

    @Test
    void filtersNarrowTheListing() {
        // given two nodes with three processes
        SimulatedNode one = SimulatedNode.register(api);
        SimulatedNode two = SimulatedNode.register(api);
        Map<String, Object> suspended = SimulatedNode.process(3, "b");
        suspended.put("state", "SUSPENDED");
        one.heartbeat(SimulatedNode.process(1, "a"), SimulatedNode.process(2, "b"))
                .expect(200);
        two.heartbeat(suspended).expect(200);

        // when, then
        assertThat(pids("node=" + one.id())).containsExactlyInAnyOrder(1, 2);
        assertThat(pids("node=" + one.id() + "&name=b")).containsExactly(2);
        assertThat(pids("node=" + two.id() + "&state=RUNNING")).isEmpty();
        assertThat(pids("node=" + two.id() + "&state=SUSPENDED")).containsExactly(3);
        assertThat(api.get("/api/v1/workloads?state=ASLEEP").code()).isEqualTo("INVALID_REQUEST");
    }

    @Test
    void refusalsAreShown() {
        SimulatedNode node = SimulatedNode.register(api);
        Map<String, Object> process = SimulatedNode.process(12, "mig");
        process.put("refusals", List.of(Map.of("code", "WORKLOAD_UNSUPPORTED", "detail", "uses MIG")));

        JsonNode read = api.get("/api/v1/workloads/" + node.runs(process)).json();

        assertThat(read.at("/refusals/0/detail").asString()).isEqualTo("uses MIG");
    }

    private List<Integer> pids(String query) {
        return api.get("/api/v1/workloads?" + query)
                .expect(200)
                .json()
                .path("items")
                .valueStream()
                .map(item -> item.path("pid").asInt())
                .toList();
    }
}
