package io.gpusnap.demo;

import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
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
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(REPORT_SECONDS);
        while (System.nanoTime() < deadline) {
            for (JsonNode workload : api.items("/workloads?name=" + Workload.NAME)) {
                if (workload.path("pid").asLong() == pid
                        && workload.path("state").asString().equals(state)) {
                    return workload;
                }
            }
            Pause.millis(POLL_MILLIS);
        }
        throw new DemoFailure(
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
