package io.gpusnap.service.switchover;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.Api.Reply;
import io.gpusnap.service.testing.Catalogue;
import io.gpusnap.service.testing.ServiceTest;
import io.gpusnap.service.testing.SimulatedNode;
import io.gpusnap.service.testing.TestManifest;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.jdbc.core.simple.JdbcClient;
import tools.jackson.databind.JsonNode;

/** Two models on one GPU: the first is suspended, the second runs and has a snapshot that tells its version. */
@ServiceTest
class SwitchApiTest {
    @Autowired
    private Api api;

    @Autowired
    private JdbcClient jdbc;

    private Catalogue catalogue;
    private SimulatedNode node;
    private String first;
    private String second;
    private String frozen;

    @BeforeEach
    void givenTwoModels() {
        catalogue = Catalogue.create(api);
        node = SimulatedNode.register(api);
        node.heartbeat(SimulatedNode.process(21, "first"), SimulatedNode.process(22, "second"))
                .expect(200);
        first = workload("first");
        second = workload("second");
        frozen = saved(first, "suspend");
        saved(second, "criu+cuda");
    }

    private String workload(String name) {
        return api.get("/api/v1/workloads?node=" + node.id() + "&name=" + name)
                .json()
                .at("/items/0/id")
                .asString();
    }

    private String saved(String workload, String engine) {
        String snapshot = catalogue
                .save(workload, engine)
                .expect(202)
                .json()
                .at("/snapshot/id")
                .asString();
        node.complete(node.claim(), Map.of("outcome", "SUCCEEDED", "save", save(snapshot, engine)))
                .expect(204);
        return snapshot;
    }

    /** The process goes on, or waits. */
    private static Map<String, Object> save(String snapshot, String engine) {
        Map<String, Object> save =
                new LinkedHashMap<>(TestManifest.of(snapshot, engine).saveResult());
        save.put("workloadAlive", true);
        return save;
    }

    private Reply switchTo(Map<String, Object> body) {
        return api.once().post("/api/v1/nodes/" + node.id() + "/gpus/0/switch", body);
    }

    private static Map<String, Object> toWorkload(String name) {
        return Map.of("to", Map.of("workload", name));
    }

    private Reply switched(JsonNode task, int pid, String name, List<?> suspended) {
        return node.complete(
                task,
                Map.of(
                        "outcome",
                        "SUCCEEDED",
                        "thaw",
                        Map.of("pid", pid, "startTimeTicks", 1000 + pid, "workloadName", name, "seconds", 0.4),
                        "suspended",
                        suspended));
    }

    private JsonNode read(String workload) {
        return api.get("/api/v1/workloads/" + workload).expect(200).json();
    }

    @Test
    void aSwitchResumesOneAndMakesASnapshotOfTheOther() {
        // when
        JsonNode queued = switchTo(toWorkload("first")).expect(202).json();
        String leaving = queued.at("/candidates/0/snapshotId").asString();
        JsonNode task = node.claim();
        // then the daemon gets it whole
        assertThat(task.path("kind").asString()).isEqualTo("SWITCH");
        assertThat(task.at("/switch/snapshotId").asString()).isEqualTo(frozen);
        assertThat(task.at("/switch/manifestDigest").asString()).hasSize(64);
        assertThat(task.at("/switch/gpuUuid").asString()).isEqualTo("GPU-0");
        assertThat(task.at("/switch/policy").asString()).isEqualTo("EVICT_IF_NEEDED");
        assertThat(task.at("/switch/preempt").asBoolean()).isFalse();
        assertThat(task.at("/switch/candidates")).hasSize(1);
        assertThat(task.at("/switch/candidates/0/workload/pid").asInt()).isEqualTo(22);
        assertThat(task.at("/switch/candidates/0/facts/image").asString()).isEqualTo("llm@sha256:1");
        assertThat(catalogue.snapshot(leaving).path("state").asString()).isEqualTo("CREATING");

        // when
        switched(task, 21, "first", List.of(Map.of("snapshotId", leaving, "save", save(leaving, "suspend"))))
                .expect(204);
        // then
        JsonNode operation = catalogue.operation(queued.at("/operation/id").asString());
        assertThat(operation.path("state").asString()).isEqualTo("SUCCEEDED");
        assertThat(read(first).path("state").asString()).isEqualTo("RUNNING");
        assertThat(read(second).path("state").asString()).isEqualTo("SUSPENDED");
        assertThat(read(second).path("suspendedSnapshotId").asString()).isEqualTo(leaving);
        JsonNode snapshot = catalogue.snapshot(leaving);
        assertThat(snapshot.path("state").asString()).isEqualTo("READY");
        assertThat(snapshot.path("model").asString()).isEqualTo(catalogue.model());
        JsonNode restore = api.get(
                        "/api/v1/restores/" + operation.at("/target/restoreId").asString())
                .json();
        assertThat(restore.path("thawSeconds").asDouble()).isEqualTo(0.4);
        assertThat(restore.path("pid").asInt()).isEqualTo(21);
        // and back
        JsonNode back = switchTo(Map.of("to", Map.of("snapshotId", leaving), "from", List.of("first"), "preempt", true))
                .expect(202)
                .json();
        assertThat(back.at("/candidates/0/name").asString()).isEqualTo("first");
        assertThat(node.claim().at("/switch/preempt").asBoolean()).isTrue();
        assertThat(api.get("/actuator/prometheus").text())
                .containsPattern("gpusnap_switches_total\\{[^}]*outcome=\"succeeded\"[^}]*} [1-9]")
                .containsPattern("gpusnap_switch_duration_seconds_count(\\{[^}]*})? [1-9]");
    }

    @Test
    void aCandidateThatStayedLeavesNoSnapshot() {
        JsonNode queued = switchTo(toWorkload("first")).expect(202).json();
        switched(node.claim(), 21, "first", List.of()).expect(204);
        assertThat(api.get("/api/v1/snapshots/"
                                + queued.at("/candidates/0/snapshotId").asString())
                        .code())
                .isEqualTo("SNAPSHOT_NOT_FOUND");
        assertThat(read(second).path("state").asString()).isEqualTo("RUNNING");
    }

    @Test
    void aSwitchBackQueuesBehindTheSwitchThatSuspendsIts() {
        // given
        JsonNode there = switchTo(toWorkload("first")).expect(202).json();
        String leaving = there.at("/candidates/0/snapshotId").asString();
        // when
        JsonNode back = switchTo(toWorkload("second")).expect(202).json();
        // then they are handed out in order, and the one that comes back first may have to go again
        assertThat(back.at("/candidates/0/name").asString()).isEqualTo("first");
        JsonNode task = node.claim();
        assertThat(task.path("operationId").asString())
                .isEqualTo(there.at("/operation/id").asString());
        switched(task, 21, "first", List.of(Map.of("snapshotId", leaving, "save", save(leaving, "suspend"))))
                .expect(204);
        JsonNode next = node.claim();
        assertThat(next.at("/switch/snapshotId").asString()).isEqualTo(leaving);
        assertThat(next.at("/switch/manifestDigest").isMissingNode()).isTrue();
    }

    @Test
    void whatAProcessWasSuspendedAsBeforeGoesWhenItIsSuspendedAgain() {
        // given the first one running again
        String there = switchTo(toWorkload("first"))
                .expect(202)
                .json()
                .at("/candidates/0/snapshotId")
                .asString();
        switched(node.claim(), 21, "first", List.of(Map.of("snapshotId", there, "save", save(there, "suspend"))))
                .expect(204);
        assertThat(catalogue.snapshot(frozen).path("state").asString()).isEqualTo("READY");
        // when it makes room
        String back = switchTo(toWorkload("second"))
                .expect(202)
                .json()
                .at("/candidates/0/snapshotId")
                .asString();
        switched(node.claim(), 22, "second", List.of(Map.of("snapshotId", back, "save", save(back, "suspend"))))
                .expect(204);
        // then what it was suspended as before is deleted, and what the other one was is still there
        assertThat(catalogue.snapshot(frozen).path("state").asString()).isEqualTo("DELETING");
        assertThat(catalogue.snapshot(there).path("state").asString()).isEqualTo("READY");
        assertThat(catalogue.snapshot(back).path("state").asString()).isEqualTo("READY");
        JsonNode task = node.claim();
        assertThat(task.path("kind").asString()).isEqualTo("DELETE");
        assertThat(task.at("/delete/snapshotId").asString()).isEqualTo(frozen);
        node.complete(task, Map.of("outcome", "SUCCEEDED")).expect(204);
        assertThat(catalogue.snapshot(frozen).path("state").asString()).isEqualTo("DELETED");
    }

    @Test
    void aSnapshotThatIsNamedAndNeverMadeHasFailed() {
        JsonNode there = switchTo(toWorkload("first")).expect(202).json();
        String leaving = there.at("/candidates/0/snapshotId").asString();
        switchTo(toWorkload("second")).expect(202);
        node.fail(node.claim(), "INSUFFICIENT_VRAM").expect(204);
        assertThat(catalogue
                        .operation(there.at("/operation/id").asString())
                        .at("/failure/code")
                        .asString())
                .isEqualTo("INSUFFICIENT_VRAM");
        assertThat(catalogue.snapshot(leaving).path("state").asString()).isEqualTo("FAILED");
        assertThat(read(first).path("state").asString()).isEqualTo("SUSPENDED");
    }

    @Test
    void aPendingSwitchIsCancelledAndLeavesNothing() {
        JsonNode queued = switchTo(toWorkload("first")).expect(202).json();
        String operation = queued.at("/operation/id").asString();
        api.post("/api/v1/operations/" + operation + "/cancellation").expect(200);
        assertThat(catalogue.operation(operation).path("state").asString()).isEqualTo("CANCELLED");
        assertThat(node.poll(0).status()).isEqualTo(204);
        switchTo(toWorkload("first")).expect(202);
    }

    @Test
    void aManifestThatIsRefusedFailsTheSwitchAndNotTheResume() {
        JsonNode queued = switchTo(toWorkload("first")).expect(202).json();
        String leaving = queued.at("/candidates/0/snapshotId").asString();
        assertThat(switched(
                                node.claim(),
                                21,
                                "first",
                                List.of(Map.of("snapshotId", leaving, "save", save(frozen, "suspend"))))
                        .code())
                .isEqualTo("MANIFEST_INVALID");
        assertThat(catalogue.snapshot(leaving).path("state").asString()).isEqualTo("FAILED");
        assertThat(read(first).path("state").asString()).isEqualTo("RUNNING");
    }

    @Test
    void whatASwitchHasMadeStandsThoughItFailedForAnother() {
        // given three models, of which two make room
        node.heartbeat(suspendedFirst(), SimulatedNode.process(22, "second"), SimulatedNode.process(23, "third"))
                .expect(200);
        String third = workload("third");
        saved(third, "criu+cuda");
        JsonNode queued = switchTo(Map.of("to", Map.of("workload", "first"), "from", List.of("second", "third")))
                .expect(202)
                .json();
        assertThat(queued.path("candidates")).hasSize(2);
        Map<String, String> leaving = new LinkedHashMap<>();
        queued.path("candidates")
                .forEach(candidate -> leaving.put(
                        candidate.path("name").asString(),
                        candidate.path("snapshotId").asString()));
        // when the first serves, the second is a snapshot, and the third could not be stored
        Map<String, Object> completion = new LinkedHashMap<>(failure("STORE_ERROR", "store"));
        completion.put("thaw", Map.of("pid", 21, "startTimeTicks", 1021, "workloadName", "first", "seconds", 0.4));
        completion.put(
                "suspended",
                List.of(Map.of("snapshotId", leaving.get("second"), "save", save(leaving.get("second"), "suspend"))));
        node.complete(node.claim(), completion).expect(204);
        // then
        JsonNode operation = catalogue.operation(queued.at("/operation/id").asString());
        assertThat(operation.path("state").asString()).isEqualTo("FAILED");
        assertThat(operation.at("/failure/code").asString()).isEqualTo("STORE_ERROR");
        assertThat(catalogue.snapshot(leaving.get("second")).path("state").asString())
                .isEqualTo("READY");
        assertThat(read(second).path("state").asString()).isEqualTo("SUSPENDED");
        assertThat(read(second).path("suspendedSnapshotId").asString()).isEqualTo(leaving.get("second"));
        assertThat(api.get("/api/v1/snapshots/" + leaving.get("third")).code()).isEqualTo("SNAPSHOT_NOT_FOUND");
        assertThat(read(first).path("state").asString()).isEqualTo("RUNNING");
        assertThat(api.get("/api/v1/restores/"
                                + operation.at("/target/restoreId").asString())
                        .json()
                        .path("thawSeconds")
                        .asDouble())
                .isEqualTo(0.4);
        // and the second can be resumed
        switchTo(toWorkload("second")).expect(202);
    }

    @Test
    void aCorruptSnapshotIsQuarantinedUnlessItWasTheOthers() {
        switchTo(toWorkload("first")).expect(202);
        node.complete(node.claim(), failure("CHUNK_CORRUPT", "store")).expect(204);
        assertThat(catalogue.snapshot(frozen).path("state").asString()).isEqualTo("READY");
        switchTo(toWorkload("first")).expect(202);
        node.complete(node.claim(), failure("CHUNK_CORRUPT", "verify")).expect(204);
        assertThat(catalogue.snapshot(frozen).path("state").asString()).isEqualTo("QUARANTINED");
    }

    private static Map<String, Object> failure(String code, String stage) {
        return Map.of(
                "outcome",
                "FAILED",
                "failure",
                Map.of("code", code, "detail", "simulated", "stage", stage, "retryable", false));
    }

    @Test
    void theSameKeyGivesTheSameAnswer() {
        Api same = api.with("Idempotency-Key", "\"" + UUID.randomUUID() + "\"");
        String path = "/api/v1/nodes/" + node.id() + "/gpus/GPU-0/switch";
        Reply one = same.post(path, toWorkload("first")).expect(202);
        Reply two = same.post(path, toWorkload("first")).expect(202);
        assertThat(two.header("Idempotency-Replayed")).isEqualTo("true");
        assertThat(two.json()).isEqualTo(one.json());
        assertThat(same.post(path, Map.of("to", Map.of("snapshotId", frozen))).code())
                .isEqualTo("IDEMPOTENCY_KEY_REUSED");
        assertThat(one.header("Location"))
                .isEqualTo(
                        "/api/v1/operations/" + one.json().at("/operation/id").asString());
    }

    @Test
    void whatCannotBeIsRefusedWithItsReason() {
        String nodes = "/api/v1/nodes/";
        assertThat(api.once()
                        .post(nodes + node.id() + "/gpus/7/switch", toWorkload("first"))
                        .code())
                .isEqualTo("GPU_NOT_FOUND");
        assertThat(api.once()
                        .post(nodes + UUID.randomUUID() + "/gpus/0/switch", toWorkload("first"))
                        .code())
                .isEqualTo("NODE_NOT_FOUND");
        assertThat(api.post(nodes + node.id() + "/gpus/0/switch", toWorkload("first"))
                        .code())
                .isEqualTo("IDEMPOTENCY_KEY_MISSING");
        assertThat(switchTo(Map.of("to", Map.of())).code()).isEqualTo("INVALID_REQUEST");
        assertThat(switchTo(Map.of("to", Map.of("workload", "first", "snapshotId", frozen)))
                        .code())
                .isEqualTo("INVALID_REQUEST");
        assertThat(switchTo(Map.of()).code()).isEqualTo("INVALID_REQUEST");
        assertThat(switchTo(toWorkload("nobody")).code()).isEqualTo("WORKLOAD_NOT_FOUND");
        assertThat(switchTo(toWorkload("second")).code()).isEqualTo("WORKLOAD_NOT_SUSPENDED");
        assertThat(switchTo(Map.of("to", Map.of("workload", "first"), "from", List.of("nobody")))
                        .code())
                .isEqualTo("WORKLOAD_NOT_FOUND");
        assertThat(switchTo(Map.of("to", Map.of("snapshotId", UUID.randomUUID())))
                        .code())
                .isEqualTo("SNAPSHOT_NOT_FOUND");
        assertThat(switchTo(Map.of("to", Map.of("snapshotId", saved(second, "criu+cuda"))))
                        .code())
                .isEqualTo("CONFLICT");
    }

    @Test
    void aCandidateOfNoKnownVersionIsRefusedWhenNamedAndPassedOverOtherwise() {
        node.heartbeat(suspendedFirst(), SimulatedNode.process(22, "second"), SimulatedNode.process(23, "third"))
                .expect(200);
        assertThat(switchTo(Map.of("to", Map.of("workload", "first"), "from", List.of("third")))
                        .code())
                .isEqualTo("CONFLICT");
        assertThat(switchTo(toWorkload("first")).expect(202).json().path("candidates"))
                .extracting(candidate -> candidate.path("name").asString())
                .containsExactly("second");
    }

    @Test
    void twoWorkloadsOfOneNameAreToldApartBySnapshot() {
        node.heartbeat(suspendedFirst(), SimulatedNode.process(24, "first")).expect(200);
        assertThat(switchTo(toWorkload("first")).code()).isEqualTo("CONFLICT");
        switchTo(Map.of("to", Map.of("snapshotId", frozen))).expect(202);
    }

    private Map<String, Object> suspendedFirst() {
        Map<String, Object> process = SimulatedNode.process(21, "first");
        process.put("state", "SUSPENDED");
        process.put("suspendedSnapshotId", frozen);
        return process;
    }

    @Test
    void aTargetThatIsBusyGoneResumedOrElsewhereIsRefused() {
        // elsewhere
        SimulatedNode other = SimulatedNode.register(api);
        assertThat(api.once()
                        .post(
                                "/api/v1/nodes/" + other.id() + "/gpus/0/switch",
                                Map.of("to", Map.of("snapshotId", frozen)))
                        .code())
                .isEqualTo("NO_NODE");
        // busy
        switchTo(toWorkload("first")).expect(202);
        assertThat(switchTo(Map.of("to", Map.of("snapshotId", frozen))).code()).isEqualTo("WORKLOAD_BUSY");
        // resumed
        switched(node.claim(), 21, "first", List.of()).expect(204);
        assertThat(switchTo(Map.of("to", Map.of("snapshotId", frozen))).code()).isEqualTo("CONFLICT");
        // gone
        String again = saved(first, "suspend");
        jdbc.sql("UPDATE workload SET state = 'GONE' WHERE id = ?::uuid")
                .param(first)
                .update();
        assertThat(switchTo(Map.of("to", Map.of("snapshotId", again))).code()).isEqualTo("WORKLOAD_LOST");
    }

    @Test
    void aNodeThatCannotIsRefused() {
        api.with("If-Match", "*")
                .patch("/api/v1/nodes/" + node.id(), Map.of("schedulable", false))
                .expect(200);
        assertThat(switchTo(toWorkload("first")).code()).isEqualTo("NODE_UNSCHEDULABLE");
        api.with("If-Match", "*")
                .patch("/api/v1/nodes/" + node.id(), Map.of("schedulable", true))
                .expect(200);
        jdbc.sql("UPDATE node SET state = 'SILENT' WHERE id = ?::uuid")
                .param(node.id())
                .update();
        assertThat(switchTo(toWorkload("first")).code()).isEqualTo("NODE_SILENT");
    }

    @Test
    void aSuspendSaysHowMuchLeaves() {
        Map<String, Object> request = new LinkedHashMap<>(catalogue.saveRequest(second, "suspend"));
        request.put("suspendDepth", "CONTEXT_KEPT");
        api.once().post("/api/v1/snapshots", request).expect(202);
        assertThat(node.claim().at("/save/suspendDepth").asString()).isEqualTo("CONTEXT_KEPT");
        request.put("engine", "criu+cuda");
        assertThat(api.once().post("/api/v1/snapshots", request).code()).isEqualTo("INVALID_REQUEST");
    }
}
