package io.gpusnap.service.testing;

import io.gpusnap.service.testing.Api.Reply;
import java.util.Map;
import java.util.UUID;
import tools.jackson.databind.JsonNode;

/** A model with one version, and shortcuts for what is asked about it. */
public record Catalogue(Api api, String model, String version) {

    public static Catalogue create(Api api) {
        String model = "m-" + UUID.randomUUID();
        api.once().post("/api/v1/models", Map.of("name", model)).expect(201);
        api.once()
                .post("/api/v1/models/" + model + "/versions", Map.of("name", "v1", "image", "llm@sha256:1"))
                .expect(201);
        return new Catalogue(api, model, "v1");
    }

    public Reply save(String workloadId, String engine) {
        return api.once().post("/api/v1/snapshots", saveRequest(workloadId, engine));
    }

    public Map<String, Object> saveRequest(String workloadId, String engine) {
        return Map.of(
                "model", model, "version", version, "workloadId", workloadId, "engine", engine, "afterSave", "STOP");
    }

    /** A READY snapshot on the node; its id. */
    public String ready(SimulatedNode node) {
        return ready(node, "criu+cuda", 4711);
    }

    public String ready(SimulatedNode node, String engine, int pid) {
        String workload = node.runs(SimulatedNode.process(pid, "w-" + pid));
        String snapshot = save(workload, engine)
                .expect(202)
                .json()
                .path("snapshot")
                .path("id")
                .asString();
        node.saved(node.claim()).expect(204);
        return snapshot;
    }

    public JsonNode snapshot(String id) {
        return api.get("/api/v1/snapshots/" + id).expect(200).json();
    }

    public JsonNode operation(String id) {
        return api.get("/api/v1/operations/" + id).expect(200).json();
    }

    public Reply restore(String snapshot) {
        return api.once().post("/api/v1/restores", Map.of("snapshotId", snapshot));
    }
}
