package io.gpusnap.service.restore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.Api.Reply;
import io.gpusnap.service.testing.Catalogue;
import io.gpusnap.service.testing.ServiceTest;
import io.gpusnap.service.testing.SimulatedNode;
import io.gpusnap.service.testing.TestManifest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.support.TransactionTemplate;
import tools.jackson.databind.JsonNode;

@ServiceTest
class RestoreChainTest {
    @Autowired
    private Api api;

    @Autowired
    private JdbcClient jdbc;

    @Autowired
    private TransactionTemplate transaction;

    private Catalogue catalogue;
    private SimulatedNode first;
    private SimulatedNode second;

    @BeforeEach
    void givenAModelVersionAndTwoNodes() {
        catalogue = Catalogue.create(api);
        first = SimulatedNode.register(api);
        second = SimulatedNode.register(api);
    }

    /** A snapshot whose manifest says what machine it is of, on a node that is like that. */
    private String ready(SimulatedNode node, int pid) {
        String workload = node.runs(SimulatedNode.process(pid, "w-" + pid));
        catalogue.save(workload, "criu+cuda").expect(202);
        JsonNode task = node.claim();
        node.complete(task, SimulatedNode.saveOutcome(TestManifest.of(task).withCompatibility()))
                .expect(204);
        return task.at("/save/snapshotId").asString();
    }

    private static Map<String, Object> inventory() {
        Map<String, Object> inventory = SimulatedNode.inventory(Map.of("criu+cuda", "", "suspend", ""));
        inventory.put("driverBuild", "580.1");
        inventory.put("cudaDriverVersion", 13000);
        inventory.put("criuVersion", "4.2.1");
        inventory.put("cpuFeatures", List.of("avx2", "avx512f", "sse"));
        return inventory;
    }

    private void isLikeThat(SimulatedNode node, String... snapshots) {
        Map<String, Object> inventory = inventory();
        inventory.put("snapshots", List.of(snapshots));
        node.heartbeat(inventory, List.of(), List.of()).expect(200);
    }

    private Reply restore(Map<String, Object> more) {
        Map<String, Object> request = new LinkedHashMap<>(Map.of("model", catalogue.model(), "version", "v1"));
        request.putAll(more);
        return api.once().post("/api/v1/restores", request);
    }

    private JsonNode read(String restore) {
        return api.get("/api/v1/restores/" + restore).expect(200).json();
    }

    private SimulatedNode nodeOf(JsonNode step) {
        return step.path("nodeId").asString().equals(first.id()) ? first : second;
    }

    private static String way(JsonNode step) {
        return step.path("way").asString();
    }

    @Test
    void aFailedThawGoesToAnotherNodeAndThenToAColdStart() {
        // given a snapshot on two nodes
        String snapshot = ready(first, 1);
        isLikeThat(first, snapshot);
        isLikeThat(second, snapshot);
        JsonNode reply = restore(Map.of("replicaKey", "r-0")).expect(202).json();
        String id = reply.at("/restore/id").asString();
        JsonNode chain = reply.at("/restore/decision/chain");
        assertThat(chain.valueStream().map(RestoreChainTest::way)).containsExactly("THAW", "THAW_ELSEWHERE", "COLD");
        assertThat(chain.at("/0/expected/basis").asString()).isEqualTo("ASSUMED");

        // when the first node fails
        nodeOf(chain.get(0)).fail(nodeOf(chain.get(0)).claim(), "PORT_CONFLICT").expect(204);

        // then it goes on by itself on the other one, and says so
        JsonNode second = read(id);
        assertThat(second.path("state").asString()).isEqualTo("PENDING");
        assertThat(second.at("/attempts/0/failure/code").asString()).isEqualTo("PORT_CONFLICT");
        assertThat(way(second.at("/attempts/1"))).isEqualTo("THAW_ELSEWHERE");
        assertThat(second.path("nodeId").asString())
                .isEqualTo(chain.at("/1/nodeId").asString());

        // when that fails, too, then the caller starts it himself
        nodeOf(chain.get(1)).fail(nodeOf(chain.get(1)).claim(), "PID_CONFLICT").expect(204);
        JsonNode cold = read(id);
        assertThat(cold.path("state").asString()).isEqualTo("COLD");
        assertThat(cold.at("/cold/code").asString()).isEqualTo("PID_CONFLICT");
        assertThat(cold.path("attempts")).hasSize(2);
        assertThat(catalogue.snapshot(snapshot).path("state").asString()).isEqualTo("READY");
    }

    @Test
    void aSuspendedProcessIsResumedBeforeAnythingIsThawed() {
        // given a full snapshot, and a newer process that stands still
        String full = ready(first, 1);
        isLikeThat(first, full);
        String suspended = suspended(2);
        isLikeThat(second, full);

        // when
        JsonNode chain = restore(Map.of()).expect(202).json().at("/restore/decision/chain");

        // then
        assertThat(chain.valueStream().map(RestoreChainTest::way).toList()).startsWith("RESUME", "THAW");
        assertThat(chain.at("/0/snapshotId").asString()).isEqualTo(suspended);
    }

    /** The suspend snapshot of a process on the first node that waits in it. */
    private String suspended(int pid) {
        String workload = first.runs(SimulatedNode.process(pid, "w-" + pid));
        catalogue.save(workload, "suspend").expect(202);
        JsonNode save = first.claim();
        Map<String, Object> result = new LinkedHashMap<>(TestManifest.of(save).saveResult());
        result.put("workloadAlive", true);
        first.complete(save, Map.of("outcome", "SUCCEEDED", "save", result)).expect(204);
        return save.at("/save/snapshotId").asString();
    }

    @Test
    void howeverManyProcessesAreSuspendedASnapshotIsThawedWhenTheFirstOfThemFails() {
        // given as many suspended processes as there may be attempts, and a full snapshot
        String full = ready(first, 1);
        List.of(2, 3, 4).forEach(this::suspended);
        isLikeThat(first, full);
        JsonNode reply = restore(Map.of()).expect(202).json();
        assertThat(reply.at("/restore/decision/chain").valueStream().map(RestoreChainTest::way))
                .containsExactly("RESUME", "THAW", "COLD");

        // when
        first.fail(first.claim(), "DRIVER_FAILED").expect(204);

        // then
        JsonNode restore = read(reply.at("/restore/id").asString());
        assertThat(restore.path("state").asString()).isEqualTo("PENDING");
        assertThat(way(restore.at("/attempts/1"))).isEqualTo("THAW");
        assertThat(restore.at("/attempts/1/snapshotId").asString()).isEqualTo(full);
    }

    @Test
    void ofTwoWhoWantTheSameSuspendedProcessOneResumesItAndTheOtherGoesOnDownTheChain() throws Exception {
        // given one suspended process and a full snapshot
        String full = ready(first, 1);
        String suspended = suspended(2);
        isLikeThat(first, full);

        // when two have decided for the process before either could take it
        List<JsonNode> replies;
        try (ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Reply>> asked = new ArrayList<>();
            transaction.executeWithoutResult(status -> {
                jdbc.sql("SELECT 1 FROM snapshot WHERE id = ?::uuid FOR UPDATE")
                        .param(suspended)
                        .query(Integer.class)
                        .single();
                asked.add(callers.submit(() -> restore(Map.of())));
                asked.add(callers.submit(() -> restore(Map.of())));
                await().atMost(Duration.ofSeconds(60)).until(() -> waitingForLocks() >= 2);
            });
            replies = List.of(
                    asked.get(0).get().expect(202).json(),
                    asked.get(1).get().expect(202).json());
        }

        // then
        assertThat(replies.stream().map(reply -> way(reply.at("/restore/attempts/0"))))
                .containsExactlyInAnyOrder("RESUME", "THAW");
        assertThat(replies.stream().map(reply -> way(reply.at("/restore/decision/chain/0"))))
                .containsExactlyInAnyOrder("RESUME", "THAW");
    }

    private int waitingForLocks() {
        return jdbc.sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                        + " AND datname = current_database()")
                .query(Integer.class)
                .single();
    }

    @Test
    void aNodeThatDoesNotFitIsNamedWithTheGateThatSaysSo() {
        // given a second node with another driver
        String snapshot = ready(first, 1);
        isLikeThat(first, snapshot);
        Map<String, Object> other = inventory();
        other.put("driverBuild", "570.9");
        other.put("snapshots", List.of(snapshot));
        second.heartbeat(other, List.of(), List.of()).expect(200);

        // when
        JsonNode decision = restore(Map.of()).expect(202).json().at("/restore/decision");

        // then
        assertThat(decision.at("/rejected/0/nodeName").asString()).isEqualTo(second.name());
        assertThat(decision.at("/rejected/0/gate").asString()).isEqualTo("driver");
        assertThat(decision.at("/rejected/0/code").asString()).isEqualTo("DRIVER_MISMATCH");
        assertThat(decision.at("/rejected/0/reason").asString()).contains("580.1", "570.9");
    }

    @Test
    void anotherImageOrDriverIsATypedRefusalAndAColdStart() {
        String snapshot = ready(first, 1);
        isLikeThat(first, snapshot);

        JsonNode image = restore(Map.of("constraints", Map.of("image", "llm@sha256:2")))
                .expect(201)
                .json()
                .path("restore");
        JsonNode mounts = restore(Map.of("constraints", Map.of("mounts", List.of("/"))))
                .expect(201)
                .json()
                .path("restore");
        Map<String, Object> driver = inventory();
        driver.put("driverBuild", "590.0");
        first.heartbeat(driver, List.of(), List.of()).expect(200);
        JsonNode newDriver = restore(Map.of()).expect(201).json().path("restore");

        assertThat(image.path("state").asString()).isEqualTo("COLD");
        assertThat(image.at("/cold/code").asString()).isEqualTo("INCOMPATIBLE");
        assertThat(image.at("/cold/detail").asString()).contains("llm@sha256:1", "llm@sha256:2");
        assertThat(mounts.at("/cold/code").asString()).isEqualTo("PATH_MISSING");
        assertThat(mounts.at("/cold/detail").asString()).contains("/models");
        assertThat(newDriver.at("/cold/code").asString()).isEqualTo("DRIVER_MISMATCH");
    }

    @Test
    void aSnapshotOfAnotherImageThanItsVersionNamesByNowIsNotItsWayBack() {
        // given a save that was on its way when its version was given another image
        String workload = first.runs(SimulatedNode.process(1, "w-1"));
        catalogue.save(workload, "criu+cuda").expect(202);
        JsonNode task = first.claim();
        api.with("If-Match", "*")
                .patch("/api/v1/models/" + catalogue.model() + "/versions/v1", Map.of("image", "llm@sha256:2"))
                .expect(200);
        first.complete(task, SimulatedNode.saveOutcome(TestManifest.of(task).withCompatibility()))
                .expect(204);
        isLikeThat(first, task.at("/save/snapshotId").asString());

        // when
        JsonNode cold = restore(Map.of()).expect(201).json().path("restore");

        // then
        assertThat(cold.at("/decision/rejected/0/gate").asString()).isEqualTo("image");
        assertThat(cold.at("/cold/code").asString()).isEqualTo("INCOMPATIBLE");
        assertThat(cold.at("/cold/image").asString()).isEqualTo("llm@sha256:2");
    }

    @Test
    void aProcessComesBackWhereTheVolumesAreThatItHasFilesOn() {
        // given a process with a file on a volume, which is mounted on one of two nodes
        String workload = first.runs(SimulatedNode.process(1, "w-1"));
        catalogue.save(workload, "criu+cuda").expect(202);
        JsonNode task = first.claim();
        TestManifest manifest = TestManifest.of(task).withCompatibility().but(text -> text.replace("\"device\"", """
                "process":{"executable":"/usr/bin/server","workingDirectory":"/srv/llm",
                 "openFiles":[{"fd":3,"path":"/models/llm/weights.bin","sizeBytes":1,"mode":"r"}],"mappedFiles":[]},"device\""""));
        first.complete(task, SimulatedNode.saveOutcome(manifest)).expect(204);
        String snapshot = task.at("/save/snapshotId").asString();
        hasMounted(first, snapshot, "/", "/boot");
        hasMounted(second, snapshot, "/", "/models");

        // when
        JsonNode decision = restore(Map.of()).expect(202).json().at("/restore/decision");

        // then
        assertThat(decision.at("/chain/0/nodeId").asString()).isEqualTo(second.id());
        assertThat(decision.at("/rejected/0/nodeId").asString()).isEqualTo(first.id());
        assertThat(decision.at("/rejected/0/gate").asString()).isEqualTo("mounts");
        assertThat(decision.at("/rejected/0/reason").asString()).contains("/models");
    }

    @Test
    void whatIsFreeOnTwoGpusIsNoRoomForWhatNeedsItOnOne() {
        // given 8 MiB of device memory; 6 MiB are free on each of one holder's GPUs, 9 MiB on the other one's only GPU
        String snapshot = ready(first, 1);
        hasFree(first, snapshot, 6L << 20, 6L << 20);
        hasFree(second, snapshot, 9L << 20);

        // when
        JsonNode decision = restore(Map.of()).expect(202).json().at("/restore/decision");

        // then
        assertThat(decision.at("/chain/0/nodeId").asString()).isEqualTo(second.id());
    }

    @Test
    void aThawIsToldTheGpuThatHasRoomWhereItsOwnIsFull() {
        // given 8 MiB of device memory of GPU-0, which is full
        String snapshot = ready(first, 1);
        hasFree(first, snapshot, 6L << 20, 9L << 20, 7L << 20);

        // when
        restore(Map.of()).expect(202);

        // then
        assertThat(first.claim().at("/thaw/gpuRemap").toString()).isEqualTo("{\"0\":\"GPU-1\"}");

        // and where it has room nothing is named
        hasFree(first, snapshot, 9L << 20, 20L << 20);
        restore(Map.of()).expect(202);
        assertThat(first.claim().at("/thaw/gpuRemap").toString()).isEqualTo("{}");
    }

    private void hasFree(SimulatedNode node, String snapshot, long... freeBytes) {
        Map<String, Object> inventory = inventory();
        Object gpu = ((List<?>) inventory.get("gpus")).getFirst();
        List<Map<Object, Object>> gpus = new ArrayList<>();
        for (long free : freeBytes) {
            Map<Object, Object> one = new LinkedHashMap<>((Map<?, ?>) gpu);
            one.put("ordinal", gpus.size());
            one.put("uuid", "GPU-" + gpus.size());
            one.put("freeBytes", free);
            gpus.add(one);
        }
        inventory.put("gpus", gpus);
        inventory.put("snapshots", List.of(snapshot));
        node.heartbeat(inventory, List.of(), List.of()).expect(200);
    }

    private void hasMounted(SimulatedNode node, String snapshot, String... mounts) {
        Map<String, Object> inventory = inventory();
        inventory.put("snapshots", List.of(snapshot));
        inventory.put("mounts", List.of(mounts));
        node.heartbeat(inventory, List.of(), List.of()).expect(200);
    }

    @Test
    void aSnapshotThatFailsAgainAndAgainIsQuarantined() {
        String snapshot = ready(first, 1);
        isLikeThat(first, snapshot);

        for (int i = 0; i < 3; i++) {
            restore(Map.of()).expect(202);
            first.fail(first.claim(), "CRIU_FAILED").expect(204);
        }

        JsonNode quarantined = catalogue.snapshot(snapshot);
        assertThat(quarantined.path("state").asString()).isEqualTo("QUARANTINED");
        assertThat(quarantined.at("/failure/detail").asString()).contains("3 thaws failed in a row");
        assertThat(restore(Map.of()).expect(201).json().at("/restore/state").asString())
                .isEqualTo("COLD");
    }

    @Test
    void aThawThatSucceedsForgivesTheFailuresBefore() {
        String snapshot = ready(first, 1);
        isLikeThat(first, snapshot);

        for (int i = 0; i < 4; i++) {
            restore(Map.of()).expect(202);
            JsonNode task = first.claim();
            if (i == 1) {
                first.thawed(task, 100, "w").expect(204);
            } else {
                first.fail(task, "CRIU_FAILED").expect(204);
            }
        }

        assertThat(catalogue.snapshot(snapshot).path("state").asString()).isEqualTo("READY");
    }

    @Test
    void aDryRunTellsAndDoesNothing() {
        String snapshot = ready(first, 1);
        isLikeThat(first, snapshot);

        JsonNode preview = restore(Map.of("dryRun", true)).expect(200).json().path("preview");

        assertThat(preview.at("/decision/chain/0/snapshotId").asString()).isEqualTo(snapshot);
        assertThat(preview.path("version").asString()).isEqualTo("v1");
        first.poll(0).expect(204);
    }

    @Test
    void whatWasMeasuredIsWhatIsExpected() {
        String snapshot = ready(first, 1);
        isLikeThat(first, snapshot);
        restore(Map.of()).expect(202);
        first.thawed(first.claim(), 100, "w").expect(204);
        isLikeThat(second, snapshot);

        JsonNode chain = restore(Map.of("dryRun", true)).json().at("/preview/decision/chain");

        JsonNode here = chain.valueStream()
                .filter(step -> step.path("nodeId").asString().equals(first.id()))
                .findFirst()
                .orElseThrow();
        JsonNode elsewhere = chain.valueStream()
                .filter(step -> step.path("nodeId").asString().equals(second.id()))
                .findFirst()
                .orElseThrow();
        assertThat(here.at("/expected/basis").asString()).isEqualTo("MEASURED_HERE");
        assertThat(here.at("/expected/seconds").asDouble()).isEqualTo(3.25);
        assertThat(elsewhere.at("/expected/basis").asString()).isEqualTo("MEASURED_ELSEWHERE");
    }

    @Test
    void aCancelledRestoreIsNotFollowedByAnotherWay() {
        String snapshot = ready(first, 1);
        isLikeThat(first, snapshot);
        isLikeThat(second, snapshot);
        JsonNode reply = restore(Map.of()).expect(202).json();

        api.post("/api/v1/operations/" + reply.at("/operation/id").asString() + "/cancellation")
                .expect(200);

        JsonNode restore = read(reply.at("/restore/id").asString());
        assertThat(restore.path("state").asString()).isEqualTo("CANCELLED");
        first.poll(0).expect(204);
        second.poll(0).expect(204);
    }

    @Test
    void anAliasIsRestoredAsTheVersionThatItStandsFor() {
        String snapshot = ready(first, 1);
        isLikeThat(first, snapshot);
        api.once()
                .post("/api/v1/models/" + catalogue.model() + "/aliases", Map.of("name", "stable", "version", "v1"))
                .expect(201);

        JsonNode restore = api.once()
                .post("/api/v1/restores", Map.of("model", catalogue.model(), "alias", "stable"))
                .expect(202)
                .json()
                .path("restore");

        assertThat(restore.path("version").asString()).isEqualTo("v1");
        assertThat(restore.path("alias").asString()).isEqualTo("stable");
        assertThat(restore.at("/decision/reasons/0").asString()).contains("stable", "v1");
    }

    @Test
    void theMatrixSaysForEveryNodeWhatItCouldRun() {
        // given
        String snapshot = ready(first, 1);
        isLikeThat(first, snapshot);
        Map<String, Object> other = inventory();
        other.put("driverBuild", "570.9");
        other.put("kernelRelease", "5.15.0");
        second.heartbeat(other, List.of(), List.of()).expect(200);

        // when
        JsonNode matrix = api.get("/api/v1/models/" + catalogue.model() + "/versions/v1/compatibility?pageSize=200")
                .expect(200)
                .json();

        // then
        assertThat(matrix.at("/classes/0/snapshotId").asString()).isEqualTo(snapshot);
        assertThat(matrix.at("/classes/0/driverBranch").asString()).isEqualTo("580");
        Map<String, JsonNode> rows = new LinkedHashMap<>();
        matrix.at("/nodes/items").forEach(row -> rows.put(row.path("nodeId").asString(), row.at("/classes/0")));
        assertThat(rows.get(first.id()).path("able").asBoolean()).isTrue();
        assertThat(rows.get(second.id())
                        .path("objections")
                        .valueStream()
                        .map(objection -> objection.path("gate").asString()))
                .containsExactly("kernel", "driver");
    }
}
