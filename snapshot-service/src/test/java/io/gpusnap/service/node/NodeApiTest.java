package io.gpusnap.service.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.Api.Reply;
import io.gpusnap.service.testing.ServiceTest;
import io.gpusnap.service.testing.SimulatedNode;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import tools.jackson.databind.JsonNode;

@ServiceTest
class NodeApiTest {
    @Autowired
    private Api api;

    @Test
    void aRegisteredNodeIsListedWithWhatItCanDoAndWhyNot() {
        // given
        SimulatedNode node = SimulatedNode.register(
                api,
                "node-" + UUID.randomUUID(),
                SimulatedNode.inventory(Map.of("suspend", "", "criu+cuda", "criu is not installed")));

        // when
        JsonNode read = api.get("/api/v1/nodes/" + node.id()).expect(200).json();

        // then
        assertThat(read.path("state").asString()).isEqualTo("ONLINE");
        assertThat(read.at("/inventory/gpus/0/name").asString()).isEqualTo("Simulated H100");
        assertThat(read.at("/inventory/capabilities").valueStream())
                .anySatisfy(one -> assertThat(one.path("reason").asString("")).isEqualTo("criu is not installed"));
        assertThat(read.toString()).doesNotContain("session");
        assertThat(api.get("/api/v1/nodes?pageSize=200").json().path("items").valueStream())
                .anySatisfy(one -> assertThat(one.path("id").asString()).isEqualTo(node.id()));
    }

    @Test
    void aDaemonThatIsNewerThanTheServiceMaySendMore() {
        SimulatedNode node = SimulatedNode.register(api);
        Map<String, Object> inventory = SimulatedNode.inventory(Map.of());
        inventory.put("fromTheFuture", Map.of("x", 1));

        assertThat(node.heartbeat(inventory, List.of(), List.of()).status()).isEqualTo(200);
    }

    @Test
    void anInventoryThatLacksSomethingIsRefusedByPointer() {
        SimulatedNode node = SimulatedNode.register(api);
        Map<String, Object> inventory = SimulatedNode.inventory(Map.of());
        inventory.put(
                "gpus",
                List.of(Map.of(
                        "ordinal",
                        0,
                        "name",
                        "no uuid",
                        "memoryBytes",
                        1,
                        "freeBytes",
                        1,
                        "migEnabled",
                        false,
                        "simulated",
                        true)));

        Reply reply = node.heartbeat(inventory, List.of(), List.of());

        assertThat(reply.code()).isEqualTo("INVALID_REQUEST");
        assertThat(reply.json().at("/errors/0/pointer").asString()).isEqualTo("/inventory/gpus/0/uuid");
    }

    @Test
    void cordoningNeedsTheETagAndHeartbeatsDoNotChangeIt() {
        // given
        SimulatedNode node = SimulatedNode.register(api);
        String path = "/api/v1/nodes/" + node.id();
        String etag = api.get(path).header("ETag");
        node.heartbeat().expect(200);

        // when, then
        assertThat(api.patch(path, Map.of("schedulable", false)).code()).isEqualTo("PRECONDITION_REQUIRED");
        Reply changed = api.with("If-Match", etag).patch(path, Map.of("schedulable", false));
        assertThat(changed.json().path("schedulable").asBoolean()).isFalse();
        assertThat(api.with("If-Match", etag)
                        .patch(path, Map.of("schedulable", true))
                        .code())
                .isEqualTo("PRECONDITION_FAILED");
        assertThat(api.with("If-Match", "*").patch(path, Map.of()).code()).isEqualTo("INVALID_REQUEST");
    }
}
