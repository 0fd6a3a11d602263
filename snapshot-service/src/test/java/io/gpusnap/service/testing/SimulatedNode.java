package io.gpusnap.service.testing;

import io.gpusnap.service.testing.Api.Reply;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** A daemon that speaks the node API and has nothing behind it. */
public final class SimulatedNode {
    private final Api operator;
    private final Api session;
    private final String name;
    private final String id;
    private final long epoch;

    private SimulatedNode(Api operator, Api session, String name, String id, long epoch) {
        this.operator = operator;
        this.session = session;
        this.name = name;
        this.id = id;
        this.epoch = epoch;
    }

    /** A new node that can do both engines. */
    public static SimulatedNode register(Api operator) {
        return register(operator, "node-" + UUID.randomUUID());
    }

    public static SimulatedNode register(Api operator, String name) {
        return register(operator, name, inventory(Map.of("criu+cuda", "", "suspend", "")));
    }

    public static SimulatedNode register(Api operator, String name, Map<String, Object> inventory) {
        JsonNode reply = operator.post(
                        "/node/v1/nodes",
                        Map.of(
                                "name",
                                name,
                                "instanceId",
                                UUID.randomUUID(),
                                "agentVersion",
                                "0.1.0-test",
                                "inventory",
                                inventory))
                .expect(201)
                .json();
        return new SimulatedNode(
                operator,
                operator.withToken(reply.path("sessionToken").asString()),
                name,
                reply.path("nodeId").asString(),
                reply.path("epoch").asLong());
    }

    /**
     * An inventory with one simulated GPU.
     *
     * @param capabilities by name; the value is the reason why it is missing, or empty
     */
    public static Map<String, Object> inventory(Map<String, String> capabilities) {
        Map<String, Object> inventory = new LinkedHashMap<>();
        inventory.put("os", "Debian GNU/Linux 13");
        inventory.put("kernelRelease", "6.18.0");
        inventory.put("architecture", "x86_64");
        inventory.put("cpuCores", 2);
        inventory.put("memoryBytes", 8L << 30);
        inventory.put("gpus", List.of(gpu(null)));
        inventory.put(
                "tiers",
                List.of(Map.of(
                        "kind",
                        "NVME",
                        "path",
                        "/var/lib/gpusnap",
                        "capacityBytes",
                        1L << 40,
                        "freeBytes",
                        1L << 39,
                        "usedBytes",
                        0)));
        inventory.put(
                "capabilities",
                capabilities.entrySet().stream()
                        .map(one -> one.getValue().isEmpty()
                                ? Map.of("name", one.getKey(), "available", true)
                                : Map.of("name", one.getKey(), "available", false, "reason", one.getValue()))
                        .toList());
        return inventory;
    }

    /**
     * A simulated GPU.
     *
     * @param computeCapability such as 9.0; null of a daemon that does not say
     */
    public static Map<String, Object> gpu(@Nullable String computeCapability) {
        Map<String, Object> gpu = new LinkedHashMap<>();
        gpu.put("ordinal", 0);
        gpu.put("uuid", "GPU-0");
        gpu.put("name", "Simulated H100");
        gpu.put("memoryBytes", 8L << 30);
        gpu.put("freeBytes", 8L << 30);
        gpu.put("migEnabled", false);
        gpu.put("simulated", true);
        if (computeCapability != null) {
            gpu.put("computeCapability", computeCapability);
        }
        return gpu;
    }

    /** A running process that can be saved. */
    public static Map<String, Object> process(int pid, String workload) {
        Map<String, Object> report = new LinkedHashMap<>();
        report.put("pid", pid);
        report.put("startTimeTicks", 1000L + pid);
        report.put("name", workload);
        report.put("executable", "/opt/cuda-server");
        report.put("commandLine", List.of("cuda-server", "--port", "8000"));
        report.put("state", "RUNNING");
        report.put("managedBytes", 4L << 20);
        report.put("allocations", 1);
        report.put("listeningPorts", List.of(8000));
        report.put("refusals", List.of());
        return report;
    }

    public String id() {
        return id;
    }

    public String name() {
        return name;
    }

    public long epoch() {
        return epoch;
    }

    /** The same daemon with the same session, at a service that started again. */
    public SimulatedNode at(Api service) {
        return new SimulatedNode(service, service.withToken(session.token()), name, id, epoch);
    }

    /** The daemon's own caller. */
    public Api session() {
        return session;
    }

    /** Reports processes; the inventory says nothing of stored snapshots. */
    public Reply heartbeat(Object... processes) {
        return heartbeat(inventory(Map.of("criu+cuda", "", "suspend", "")), List.of(processes), List.of());
    }

    public Reply heartbeat(Map<String, Object> inventory, List<?> processes, List<?> running) {
        return session.post(
                "/node/v1/nodes/" + id + "/heartbeats",
                Map.of("inventory", inventory, "workloads", processes, "runningOperations", running));
    }

    /** Reports a process and tells its workload id. */
    public String runs(Map<String, Object> process) {
        heartbeat(process).expect(200);
        JsonNode found = operator.get(
                        "/api/v1/workloads?node=" + id + "&name=" + process.get("name") + "&state=RUNNING")
                .expect(200)
                .json()
                .path("items");
        if (found.isEmpty()) {
            throw new AssertionError("the workload is not listed");
        }
        return found.get(0).path("id").asString();
    }

    public Reply poll(int waitSeconds) {
        return session.post("/node/v1/nodes/" + id + "/claims?waitSeconds=" + waitSeconds);
    }

    public JsonNode claim() {
        return poll(0).expect(200).json();
    }

    public Reply progress(JsonNode task, Object... stages) {
        return session.post(
                "/node/v1/operations/" + task.path("operationId").asString() + "/progress",
                Map.of("epoch", task.path("epoch").asLong(), "stages", List.of(stages)));
    }

    public Reply complete(JsonNode task, Map<String, Object> outcome) {
        Map<String, Object> body = new LinkedHashMap<>(outcome);
        body.put("epoch", task.path("epoch").asLong());
        return session.post("/node/v1/operations/" + task.path("operationId").asString() + "/completion", body);
    }

    public Reply fail(JsonNode task, String code) {
        return complete(
                task,
                Map.of(
                        "outcome",
                        "FAILED",
                        "failure",
                        Map.of("code", code, "detail", "simulated", "stage", "preflight", "retryable", false)));
    }

    /** Ends a claimed SAVE with a good manifest. */
    public Reply saved(JsonNode task) {
        return complete(task, saveOutcome(TestManifest.of(task)));
    }

    public static Map<String, Object> saveOutcome(TestManifest manifest) {
        return Map.of("outcome", "SUCCEEDED", "stages", List.of(), "save", manifest.saveResult());
    }

    /** Ends a claimed THAW with this process. */
    public Reply thawed(JsonNode task, int pid, String workload) {
        return complete(
                task,
                Map.of(
                        "outcome",
                        "SUCCEEDED",
                        "thaw",
                        Map.of(
                                "pid",
                                pid,
                                "startTimeTicks",
                                77_000L + pid,
                                "workloadName",
                                workload,
                                "seconds",
                                3.25,
                                "stageSeconds",
                                Map.of("criu-restore", 1.5, "fill", 0.5),
                                "fillBytesPerSecond",
                                5.0e10)));
    }
}
