package io.gpusnap.service.restore;

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
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.jdbc.core.simple.JdbcClient;
import tools.jackson.databind.JsonNode;

@ServiceTest
class RestoreApiTest {
    @Autowired
    private Api api;

    @Autowired
    private JdbcClient jdbc;

    private Catalogue catalogue;
    private SimulatedNode node;

    @BeforeEach
    void givenAModelVersionAndANode() {
        catalogue = Catalogue.create(api);
        node = SimulatedNode.register(api);
    }

    private void cordon(SimulatedNode which) {
        api.with("If-Match", "*")
                .patch("/api/v1/nodes/" + which.id(), Map.of("schedulable", false))
                .expect(200);
    }

    /** The other node says that it has the snapshot, too. */
    private void holdsToo(SimulatedNode other, String snapshot) {
        Map<String, Object> inventory = SimulatedNode.inventory(Map.of("criu+cuda", ""));
        inventory.put("snapshots", List.of(snapshot));
        other.heartbeat(inventory, List.of(), List.of()).expect(200);
    }

    @Test
    void ofAVersionTheNewestReadySnapshotIsTaken() {
        // given two READY snapshots and a newer one that failed
        catalogue.ready(node, "criu+cuda", 1);
        String newest = catalogue.ready(node, "criu+cuda", 2);
        catalogue.save(node.runs(SimulatedNode.process(3, "w")), "criu+cuda").expect(202);
        node.fail(node.claim(), "CRIU_FAILED").expect(204);

        // when
        JsonNode restore = api.once()
                .post("/api/v1/restores", Map.of("model", catalogue.model(), "version", "v1"))
                .expect(202)
                .json()
                .path("restore");

        // then
        assertThat(restore.path("snapshotId").asString()).isEqualTo(newest);
        assertThat(restore.at("/decision/reasons/0").asString()).contains("newest READY");
        assertThat(restore.path("state").asString()).isEqualTo("PENDING");
    }

    @Test
    void aCordonedHolderIsRefusedWithTheReason() {
        String snapshot = catalogue.ready(node);
        cordon(node);

        Reply reply = catalogue.restore(snapshot);

        assertThat(reply.code()).isEqualTo("NODE_UNSCHEDULABLE");
        assertThat(reply.json().path("detail").asString()).contains(node.name());
    }

    @Test
    void aSilentHolderIsRefusedWithTheReason() {
        String snapshot = catalogue.ready(node);
        jdbc.sql("UPDATE node SET state = 'SILENT' WHERE id = ?::uuid")
                .param(node.id())
                .update();

        assertThat(catalogue.restore(snapshot).code()).isEqualTo("NODE_SILENT");
    }

    @Test
    void theOneAbleNodeIsFoundBehindManyThatAreNot() {
        // given the node that was heard of first, and more holders than a decision looks at to begin with, none able
        String snapshot = catalogue.ready(node);
        Map<String, Object> unable = SimulatedNode.inventory(Map.of("criu+cuda", "no CRIU"));
        unable.put("snapshots", List.of(snapshot));
        for (int i = 0; i < 40; i++) {
            SimulatedNode.register(api).heartbeat(unable, List.of(), List.of()).expect(200);
        }

        // when
        JsonNode restore = catalogue.restore(snapshot).expect(202).json().path("restore");

        // then
        assertThat(restore.path("nodeId").asString()).isEqualTo(node.id());
    }

    @Test
    void anotherHolderIsTakenAndTheRejectedOneNamed() {
        // given a snapshot on two nodes, the first of them cordoned
        String snapshot = catalogue.ready(node);
        SimulatedNode other = SimulatedNode.register(api);
        holdsToo(other, snapshot);
        cordon(node);

        // when
        JsonNode restore = catalogue.restore(snapshot).expect(202).json().path("restore");

        // then
        assertThat(restore.path("nodeId").asString()).isEqualTo(other.id());
        assertThat(restore.at("/decision/rejected/0/nodeName").asString()).isEqualTo(node.name());
        assertThat(restore.at("/decision/rejected/0/code").asString()).isEqualTo("NODE_UNSCHEDULABLE");
        assertThat(other.claim().path("kind").asString()).isEqualTo("THAW");
    }

    @Test
    void whenNoHolderCanEveryReasonIsGiven() {
        String snapshot = catalogue.ready(node);
        SimulatedNode other = SimulatedNode.register(api);
        holdsToo(other, snapshot);
        cordon(node);
        cordon(other);

        Reply reply = catalogue.restore(snapshot);

        assertThat(reply.code()).isEqualTo("NO_NODE");
        assertThat(reply.json().path("detail").asString()).contains(node.name(), other.name());
    }

    @Test
    void aNodeThatDoesNotHoldTheSnapshotCannotBeChosen() {
        String snapshot = catalogue.ready(node);
        SimulatedNode other = SimulatedNode.register(api);

        Reply reply = api.once().post("/api/v1/restores", Map.of("snapshotId", snapshot, "nodeId", other.id()));

        assertThat(reply.code()).isEqualTo("NO_NODE");
    }

    @Test
    void aWishThatIsNoneOrTwoIsRefused() {
        String snapshot = catalogue.ready(node);

        for (Map<String, Object> wish : List.<Map<String, Object>>of(
                Map.of(),
                Map.of("model", catalogue.model()),
                Map.of("snapshotId", snapshot, "model", catalogue.model(), "version", "v1"))) {
            assertThat(api.once().post("/api/v1/restores", wish).code()).isEqualTo("INVALID_REQUEST");
        }
    }

    @Test
    void aFailedThawFailsTheRestoreAndLeavesTheSnapshot() {
        String snapshot = catalogue.ready(node);
        String restore = catalogue.restore(snapshot).json().at("/restore/id").asString();

        node.fail(node.claim(), "PORT_CONFLICT").expect(204);

        JsonNode failed = api.get("/api/v1/restores/" + restore).json();
        assertThat(failed.path("state").asString()).isEqualTo("FAILED");
        assertThat(failed.at("/failure/code").asString()).isEqualTo("PORT_CONFLICT");
        assertThat(catalogue.snapshot(snapshot).path("state").asString()).isEqualTo("READY");
    }

    @Test
    void aThawThatFindsAWrongChunkQuarantinesTheSnapshot() {
        String snapshot = catalogue.ready(node);
        catalogue.restore(snapshot).expect(202);

        node.fail(node.claim(), "CHUNK_MISSING").expect(204);

        assertThat(catalogue.snapshot(snapshot).path("state").asString()).isEqualTo("QUARANTINED");
    }

    @Test
    void aSuspendSnapshotWhoseProcessIsGoneCannotComeBack() {
        // given a suspend snapshot whose process ended
        String snapshot = catalogue.ready(node, "suspend", 5);

        // when, then: the simulated daemon said that the process is gone
        assertThat(catalogue.restore(snapshot).code()).isEqualTo("WORKLOAD_LOST");
    }

    /** A process that stands still in a READY suspend snapshot. */
    private record Suspended(String workload, String snapshot) {}

    private Suspended suspend(int pid) {
        String workload = node.runs(SimulatedNode.process(pid, "w"));
        catalogue.save(workload, "suspend").expect(202);
        JsonNode save = node.claim();
        Map<String, Object> result = new LinkedHashMap<>(TestManifest.of(save).saveResult());
        result.put("workloadAlive", true);
        node.complete(save, Map.of("outcome", "SUCCEEDED", "save", result)).expect(204);
        return new Suspended(workload, save.at("/save/snapshotId").asString());
    }

    @Test
    void aResumeKeepsOthersFromItsProcess() {
        String snapshot = suspend(6).snapshot();

        catalogue.restore(snapshot).expect(202);

        assertThat(catalogue.restore(snapshot).code()).isEqualTo("WORKLOAD_BUSY");
    }

    @Test
    void aSuspendedProcessIsResumedOnceAndIsTheSameWorkload() {
        // given
        Suspended suspended = suspend(7);
        catalogue.restore(suspended.snapshot()).expect(202);

        // when its daemon resumes it
        node.complete(
                        node.claim(),
                        Map.of(
                                "outcome",
                                "SUCCEEDED",
                                "thaw",
                                Map.of("pid", 7, "startTimeTicks", 1007, "workloadName", "w", "seconds", 0.4)))
                .expect(204);

        // then it runs, still with all that was known of it, and cannot be resumed a second time
        JsonNode back = api.get("/api/v1/workloads/" + suspended.workload()).json();
        assertThat(back.path("state").asString()).isEqualTo("RUNNING");
        assertThat(back.path("executable").asString()).isEqualTo("/opt/cuda-server");
        assertThat(back.path("suspendedSnapshotId").isNull()).isTrue();
        Reply again = catalogue.restore(suspended.snapshot());
        assertThat(again.code()).isEqualTo("CONFLICT");
        assertThat(again.json().path("detail").asString()).contains("resumed already");
    }

    private Reply restoreNewest() {
        return api.once().post("/api/v1/restores", Map.of("model", catalogue.model(), "version", "v1"));
    }

    @Test
    void ofAVersionASuspendSnapshotThatWasResumedIsPassedOver() {
        // given a full snapshot, and a newer one whose suspended process was resumed
        String full = catalogue.ready(node);
        Suspended suspended = suspend(9);
        assertThat(restoreNewest().expect(202).json().at("/restore/snapshotId").asString())
                .isEqualTo(suspended.snapshot());
        node.complete(
                        node.claim(),
                        Map.of(
                                "outcome",
                                "SUCCEEDED",
                                "thaw",
                                Map.of("pid", 9, "startTimeTicks", 1009, "workloadName", "w", "seconds", 0.4)))
                .expect(204);

        // when, then
        assertThat(restoreNewest().expect(202).json().at("/restore/snapshotId").asString())
                .isEqualTo(full);
    }

    @Test
    void ofAVersionASuspendSnapshotWhoseProcessIsGoneIsPassedOver() {
        String full = catalogue.ready(node);
        catalogue.ready(node, "suspend", 10);

        assertThat(restoreNewest().expect(202).json().at("/restore/snapshotId").asString())
                .isEqualTo(full);
    }

    @Test
    void aVersionWithNothingThatCanComeBackIsStartedCold() {
        catalogue.ready(node, "suspend", 11);

        JsonNode restore = restoreNewest().expect(201).json().path("restore");

        assertThat(restore.path("state").asString()).isEqualTo("COLD");
        assertThat(restore.at("/cold/action").asString()).isEqualTo("START_IT_YOURSELF");
        assertThat(restore.at("/cold/code").asString()).isEqualTo("SNAPSHOT_NOT_READY");
        assertThat(restore.at("/cold/image").asString()).isEqualTo("llm@sha256:1");
    }

    @Test
    void whoWantsNoColdStartIsRefusedInstead() {
        Reply reply = api.once()
                .post("/api/v1/restores", Map.of("model", catalogue.model(), "version", "v1", "fallback", "NONE"));

        assertThat(reply.code()).isEqualTo("SNAPSHOT_NOT_READY");
    }

    @Test
    void aSnapshotThatASuspendedProcessWaitsForIsNotDeleted() {
        Suspended suspended = suspend(8);

        Reply refused = api.with("If-Match", "*").delete("/api/v1/snapshots/" + suspended.snapshot());

        assertThat(refused.code()).isEqualTo("IN_USE");
        assertThat(catalogue.snapshot(suspended.snapshot()).path("state").asString())
                .isEqualTo("READY");
    }

    @Test
    void whatANodeNoLongerHasCannotBeRestoredThere() {
        // given a holder that stops to list the snapshot, some time after it was confirmed
        String snapshot = catalogue.ready(node);
        jdbc.sql("UPDATE snapshot_location SET confirmed_at = now() - interval '5 minutes' WHERE snapshot_id = ?::uuid")
                .param(snapshot)
                .update();
        Map<String, Object> inventory = SimulatedNode.inventory(Map.of("criu+cuda", ""));
        inventory.put("snapshots", List.of());
        node.heartbeat(inventory, List.of(), List.of()).expect(200);

        assertThat(catalogue.restore(snapshot).code()).isEqualTo("NO_NODE");
    }

    @Test
    void restoresAreListedNewestFirst() {
        String snapshot = catalogue.ready(node);
        String first = catalogue.restore(snapshot).json().at("/restore/id").asString();
        String second = catalogue.restore(snapshot).json().at("/restore/id").asString();

        List<String> ids = api.get("/api/v1/restores?pageSize=2")
                .json()
                .path("items")
                .valueStream()
                .map(item -> item.path("id").asString())
                .toList();

        assertThat(ids).containsExactly(second, first);
        assertThat(api.get("/api/v1/restores/" + first).status()).isEqualTo(200);
    }

    @Test
    void whoLooksWhileAThawEndsNeverSeesItSucceededWithoutItsProcess() throws Exception {
        String snapshot = catalogue.ready(node);
        for (int i = 0; i < 20; i++) {
            // given one who looks all the time
            String path = "/api/v1/restores/"
                    + catalogue.restore(snapshot).json().at("/restore/id").asString();
            FutureTask<JsonNode> looking = new FutureTask<>(() -> {
                JsonNode seen = api.get(path).expect(200).json();
                while (!seen.path("state").asString().equals("SUCCEEDED")) {
                    seen = api.get(path).expect(200).json();
                }
                return seen;
            });
            JsonNode task = node.claim();
            Thread.startVirtualThread(looking);

            // when it ends
            node.thawed(task, 500 + i, "w").expect(204);

            // then
            assertThat(looking.get(30, TimeUnit.SECONDS).path("pid").asInt()).isEqualTo(500 + i);
        }
    }
}
