package io.gpusnap.service;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.Api.Reply;
import io.gpusnap.service.testing.Catalogue;
import io.gpusnap.service.testing.ServiceTest;
import io.gpusnap.service.testing.SimulatedNode;
import io.gpusnap.service.testing.TestManifest;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import tools.jackson.databind.JsonNode;

/** The main job, end to end, with a daemon that only speaks. */
@ServiceTest
class FullCycleTest {
    @Autowired
    private Api api;

    @Test
    void aWorkloadIsFrozenEndsAndComesBackFromItsSnapshot() {
        // given a model version and a node that runs a workload
        Catalogue catalogue = Catalogue.create(api);
        SimulatedNode node = SimulatedNode.register(api);
        String workload = node.runs(SimulatedNode.process(4711, "llm"));

        // when a snapshot is asked for and the daemon does it
        Reply asked = catalogue.save(workload, "criu+cuda").expect(202);
        String snapshot = asked.json().path("snapshot").path("id").asString();
        JsonNode save = node.claim();
        node.progress(save, Map.of("name", "drain", "state", "RUNNING", "attempt", 1, "bytesDone", 5, "bytesTotal", 10))
                .expect(200);
        JsonNode half = catalogue.operation(save.path("operationId").asString());
        node.saved(save).expect(204);

        // then it is READY with its manifest, and the process is gone
        assertThat(asked.header("Location"))
                .isEqualTo("/api/v1/operations/" + save.path("operationId").asString());
        assertThat(asked.json().at("/snapshot/state").asString()).isEqualTo("CREATING");
        assertThat(save.at("/save/facts/image").asString()).isEqualTo("llm@sha256:1");
        assertThat(half.path("state").asString()).isEqualTo("RUNNING");
        assertThat(half.at("/progress/bytesDone").asLong()).isEqualTo(5);
        assertThat(half.at("/progress/bytesTotal").asLong()).isEqualTo(10);
        JsonNode ready = catalogue.snapshot(snapshot);
        assertThat(ready.path("state").asString()).isEqualTo("READY");
        assertThat(ready.at("/totals/storedBytes").asLong()).isEqualTo(4198400);
        assertThat(api.get("/api/v1/snapshots/" + snapshot + "/manifest").text())
                .isEqualTo(TestManifest.of(save).text());
        assertThat(api.get("/api/v1/workloads/" + workload).json().path("state").asString())
                .isEqualTo("GONE");

        // when the newest snapshot of the version is restored and the daemon does it
        JsonNode restoring = api.once()
                .post("/api/v1/restores", Map.of("model", catalogue.model(), "version", "v1"))
                .expect(202)
                .json();
        JsonNode thaw = node.claim();
        node.thawed(thaw, 4711, "llm").expect(204);

        // then the restore says what came back, how fast, and why there
        assertThat(thaw.at("/thaw/manifestDigest").asString())
                .isEqualTo(ready.path("manifestDigest").asString());
        JsonNode restore = api.get(
                        "/api/v1/restores/" + restoring.at("/restore/id").asString())
                .json();
        assertThat(restore.path("state").asString()).isEqualTo("SUCCEEDED");
        assertThat(restore.path("thawSeconds").asDouble()).isEqualTo(3.25);
        assertThat(restore.at("/stageSeconds/fill").asDouble()).isEqualTo(0.5);
        assertThat(restore.at("/decision/reasons/1").asString()).contains(node.name());
        JsonNode back = api.get(
                        "/api/v1/workloads/" + restore.path("workloadId").asString())
                .json();
        assertThat(back.path("state").asString()).isEqualTo("RUNNING");
        assertThat(back.path("pid").asInt()).isEqualTo(4711);
    }
}
