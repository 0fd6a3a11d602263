package io.gpusnap.demo;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import tools.jackson.databind.JsonNode;

/** The calls of the REST API that the demo makes, by what they mean. */
final class Catalogue {

    static final String MODEL = "demo-model";
    static final String VERSION = "v1";
    private static final int REPORT_SECONDS = 60;
    private static final long POLL_MILLIS = 100;

    /** What a call that queued work answers: the new resource and the operation that makes it so. */
    record Accepted(String resourceId, String operationId) {}

    private final ControlPlane api;

    Catalogue(ControlPlane api) {
        this.api = api;
    }

    void createModelVersion(Settings settings) {
        api.post("/models", Map.of("name", MODEL));
        api.post(
                "/models/" + MODEL + "/versions",
                Map.of(
                        "name",
                        VERSION,
                        "image",
                        "samples/cuda-server",
                        "engineArguments",
                        List.of("--weights-mib=" + settings.weightsMiB(), "--kv-mib=" + settings.kvMiB()),
                        "framework",
                        "cuda",
                        "fingerprint",
                        "demo-weights",
                        "labels",
                        Map.of("purpose", "demo")));
    }

    /** The workload that the daemon reports for this process, once it does; a save of it would be accepted. */
    JsonNode workload(long pid) {
        JsonNode workload = awaitState(pid, "RUNNING");
        requireNoRefusal(workload);
        return workload;
    }

    /** The workload of this process, once the control plane knows that it is in this state. */
    JsonNode awaitState(long pid, String state) {
        return await(
                () -> api.items("/workloads?name=" + Workload.NAME).stream()
                        .filter(it -> it.path("pid").asLong() == pid)
                        .filter(it -> it.path("state").asString().equals(state))
                        .findFirst(),
                "the daemon does not report process %d as the workload %s, %s".formatted(pid, Workload.NAME, state));
    }

    /** Ends waiting in vain. */
    void requireNotFailed(String operationId) {
        JsonNode operation = api.get("/operations/" + operationId);
        String state = operation.path("state").asString();
        if (state.equals("FAILED") || state.equals("CANCELLED")) {
            throw new DemoFailure(OperationWatch.describeFailure(operation));
        }
    }

    Accepted save(JsonNode workload, Engine engine, String afterSave) {
        JsonNode accepted = api.post(
                "/snapshots",
                Map.of(
                        "model",
                        MODEL,
                        "version",
                        VERSION,
                        "workloadId",
                        workload.path("id").asString(),
                        "engine",
                        engine.id(),
                        "afterSave",
                        afterSave));
        return accepted(accepted, "snapshot");
    }

    Accepted restore(String snapshotId) {
        return accepted(api.post("/restores", Map.of("snapshotId", snapshotId)), "restore");
    }

    /** @param nodeId where, and nowhere else */
    Accepted restoreOn(String snapshotId, String nodeId) {
        return accepted(api.post("/restores", Map.of("snapshotId", snapshotId, "nodeId", nodeId)), "restore");
    }

    /** From now on each snapshot has a copy in a shared store besides the one on its node. */
    void wantTwoCopies() {
        api.post(
                "/tier-policies",
                Map.of(
                        "name",
                        "demo",
                        "spec",
                        Map.of("enabled", true, "rules", List.of(Map.of("kind", "minimum-copies", "copies", 2)))));
    }

    /** The operation that copies a snapshot into another store, once there is one. */
    String transferOf(String snapshotId) {
        return await(
                        () -> api.items("/operations?kind=TRANSFER&snapshot=" + snapshotId).stream()
                                .findFirst(),
                        "nothing copies snapshot " + snapshotId + " into the bucket")
                .path("id")
                .asString();
    }

    void requireCopyInS3(String snapshotId) {
        for (JsonNode copy : api.get("/snapshots/" + snapshotId).path("locations")) {
            if (copy.path("kind").asString().equals("S3")
                    && copy.path("state").asString().equals("PRESENT")) {
                return;
            }
        }
        throw new DemoFailure("snapshot " + snapshotId + " was copied and is not in the bucket");
    }

    /** The control plane knows that this process has ended. */
    void awaitGone(String workloadId) {
        await(
                () -> Optional.of(api.get("/workloads/" + workloadId))
                        .filter(it -> it.path("state").asString().equals("GONE")),
                "the daemon does not report that workload %s has ended".formatted(workloadId));
    }

    private static JsonNode await(Supplier<Optional<JsonNode>> look, String otherwise) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(REPORT_SECONDS);
        while (System.nanoTime() < deadline) {
            Optional<JsonNode> found = look.get();
            if (found.isPresent()) {
                return found.get();
            }
            Pause.millis(POLL_MILLIS);
        }
        throw new DemoFailure(otherwise);
    }

    JsonNode restored(String id) {
        return api.get("/restores/" + id);
    }

    private static Accepted accepted(JsonNode answer, String resource) {
        return new Accepted(
                answer.path(resource).path("id").asString(),
                answer.path("operation").path("id").asString());
    }

    private static void requireNoRefusal(JsonNode workload) {
        if (!workload.path("refusals").isEmpty()) {
            throw new DemoFailure("the daemon would refuse to save the process: " + workload.path("refusals"));
        }
    }
}
