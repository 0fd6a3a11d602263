package io.gpusnap.service.recovery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.gpusnap.service.node.NodeState;
import io.gpusnap.service.node.NodeStateChanged;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.Catalogue;
import io.gpusnap.service.testing.ServiceTest;
import io.gpusnap.service.testing.SimulatedNode;
import io.gpusnap.service.testing.TestManifest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.support.TransactionTemplate;
import tools.jackson.databind.JsonNode;

@ServiceTest
class RecoveryTest {
    @Autowired
    private Api api;

    @Autowired
    private JdbcClient jdbc;

    @Autowired
    private ApplicationEventPublisher events;

    @Autowired
    private TransactionTemplate transaction;

    private Catalogue catalogue;
    private SimulatedNode lost;
    private SimulatedNode other;
    private String snapshot;

    @BeforeEach
    void givenASnapshotOnTwoNodes() {
        catalogue = Catalogue.create(api);
        lost = SimulatedNode.register(api);
        other = SimulatedNode.register(api);
        snapshot = catalogue.ready(lost);
        holdsToo(other);
    }

    private void holdsToo(SimulatedNode node) {
        Map<String, Object> inventory = SimulatedNode.inventory(Map.of("criu+cuda", "", "suspend", ""));
        inventory.put("snapshots", List.of(snapshot));
        node.heartbeat(inventory, List.of(), List.of()).expect(200);
    }

    /** A process on the node that is to come back elsewhere if that is lost; its restore. */
    private String restored(int pid, int priority) {
        String restore = api.once()
                .post(
                        "/api/v1/restores",
                        Map.of(
                                "model",
                                catalogue.model(),
                                "version",
                                "v1",
                                "nodeId",
                                lost.id(),
                                "replicaKey",
                                "r-" + pid,
                                "recoveryPriority",
                                priority))
                .expect(202)
                .json()
                .at("/restore/id")
                .asString();
        lost.thawed(lost.claim(), pid, "w-" + pid).expect(204);
        return restore;
    }

    private static Map<String, Object> running(int pid) {
        Map<String, Object> process = SimulatedNode.process(pid, "w-" + pid);
        process.put("startTimeTicks", 77_000L + pid);
        return process;
    }

    /** As the watch for silence does it, without the wait. */
    private void loseTheNode() {
        transaction.executeWithoutResult(status -> {
            jdbc.sql("UPDATE node SET state = 'LOST' WHERE id = ?::uuid")
                    .param(lost.id())
                    .update();
            events.publishEvent(new NodeStateChanged(NodeId.of(lost.id()), lost.name(), NodeState.LOST));
        });
    }

    private List<JsonNode> recoveries() {
        List<JsonNode> all = new ArrayList<>();
        api.get("/api/v1/recoveries?node=" + lost.id())
                .expect(200)
                .json()
                .path("items")
                .forEach(all::add);
        return all;
    }

    private void awaitStates(String... states) {
        await().atMost(Duration.ofSeconds(30))
                .untilAsserted(() -> assertThat(recoveries().stream()
                                .map(one -> one.path("state").asString()))
                        .containsExactlyInAnyOrder(states));
    }

    private JsonNode claimElsewhere() {
        await().atMost(Duration.ofSeconds(30))
                .until(() -> api.get("/api/v1/operations?state=PENDING&node=" + other.id())
                                .json()
                                .path("items")
                                .size()
                        > 0);
        return other.claim();
    }

    private String replicaOf(JsonNode task) {
        String operation = task.path("operationId").asString();
        String restore = catalogue.operation(operation).at("/target/restoreId").asString();
        return api.get("/api/v1/restores/" + restore).json().path("replicaKey").asString();
    }

    @Test
    void whatALostNodeHadComesBackElsewhereAndTheOldOneIsEnded() {
        // given a process that came from a restore
        String restore = restored(100, 10);

        // when its node is lost
        loseTheNode();

        // then it comes back on the other node
        JsonNode task = claimElsewhere();
        assertThat(task.at("/thaw/snapshotId").asString()).isEqualTo(snapshot);
        other.thawed(task, 200, "w-100").expect(204);
        awaitStates("RECOVERED");
        JsonNode recovery = recoveries().getFirst();
        assertThat(recovery.path("lostRestoreId").asString()).isEqualTo(restore);
        JsonNode again = api.get(
                        "/api/v1/restores/" + recovery.path("restoreId").asString())
                .json();
        assertThat(again.path("replicaKey").asString()).isEqualTo("r-100");
        assertThat(again.path("recoveryPriority").asInt()).isEqualTo(10);

        // when the lost node is heard again with the old process, then it has to end it
        JsonNode reply = lost.heartbeat(running(100), SimulatedNode.process(5, "stranger"))
                .expect(200)
                .json();
        assertThat(reply.path("endWorkloads")).hasSize(1);
        assertThat(reply.at("/endWorkloads/0/pid").asInt()).isEqualTo(100);
        assertThat(recoveries().getFirst().path("fenced").asBoolean()).isTrue();
    }

    @Test
    void theMostImportantComeFirstAndNotAllAtOnce() {
        // given more processes than may be on their way at a time
        for (int i = 0; i < 6; i++) {
            restored(100 + i, i);
        }

        // when
        loseTheNode();

        // then four are on their way, by priority, and the next follows when one is back
        awaitStates("PLACING", "PLACING", "PLACING", "PLACING", "WAITING", "WAITING");
        JsonNode first = claimElsewhere();
        assertThat(replicaOf(first)).isEqualTo("r-105");
        other.thawed(first, 300, "w").expect(204);
        awaitStates("RECOVERED", "PLACING", "PLACING", "PLACING", "PLACING", "WAITING");
        assertThat(recoveries().stream()
                        .filter(one -> one.path("state").asString().equals("WAITING"))
                        .map(one -> one.path("priority").asInt()))
                .containsExactly(0);
        // and what is left does not stand in the way of other tests
        other.thawed(claimElsewhere(), 301, "w").expect(204);
        awaitStates("RECOVERED", "RECOVERED", "PLACING", "PLACING", "PLACING", "PLACING");
        for (int i = 0; i < 4; i++) {
            other.thawed(claimElsewhere(), 302 + i, "w").expect(204);
        }
        awaitStates("RECOVERED", "RECOVERED", "RECOVERED", "RECOVERED", "RECOVERED", "RECOVERED");
    }

    @Test
    void aProcessThatWasSwitchedSinceComesBackElsewhereAllTheSame() {
        // given a process that is to be recovered, which a switch has suspended and resumed since
        String restore = restored(100, 7);
        String workload = lost.runs(running(100));
        catalogue.save(workload, "suspend").expect(202);
        JsonNode save = lost.claim();
        Map<String, Object> saved = new LinkedHashMap<>(TestManifest.of(save).saveResult());
        saved.put("workloadAlive", true);
        lost.complete(save, Map.of("outcome", "SUCCEEDED", "save", saved)).expect(204);
        api.once()
                .post(
                        "/api/v1/nodes/" + lost.id() + "/gpus/0/switch",
                        Map.of(
                                "to",
                                Map.of("snapshotId", save.at("/save/snapshotId").asString())))
                .expect(202);
        JsonNode task = lost.claim();
        assertThat(task.path("kind").asString()).isEqualTo("SWITCH");
        lost.complete(
                        task,
                        Map.of(
                                "outcome",
                                "SUCCEEDED",
                                "thaw",
                                Map.of("pid", 100, "startTimeTicks", 77_100L, "workloadName", "w-100", "seconds", 0.4),
                                "suspended",
                                List.of()))
                .expect(204);

        // when
        loseTheNode();

        // then
        other.thawed(claimElsewhere(), 200, "w-100").expect(204);
        awaitStates("RECOVERED");
        assertThat(recoveries().getFirst().path("lostRestoreId").asString()).isEqualTo(restore);
        assertThat(recoveries().getFirst().path("priority").asInt()).isEqualTo(7);
    }

    @Test
    void whatNobodyAskedToRecoverStaysLost() {
        api.once()
                .post("/api/v1/restores", Map.of("model", catalogue.model(), "version", "v1", "nodeId", lost.id()))
                .expect(202);
        lost.thawed(lost.claim(), 100, "w").expect(204);

        loseTheNode();

        assertThat(recoveries()).isEmpty();
        lost.heartbeat(running(100)).expect(200);
        assertThat(lost.heartbeat(running(100)).json().path("endWorkloads")).isEmpty();
    }

    @Test
    void whenNoOtherNodeCanItIsCold() {
        restored(100, 1);
        api.with("If-Match", "*")
                .patch("/api/v1/nodes/" + other.id(), Map.of("schedulable", false))
                .expect(200);

        loseTheNode();

        awaitStates("COLD");
        JsonNode restore = api.get("/api/v1/restores/"
                        + recoveries().getFirst().path("restoreId").asString())
                .json();
        assertThat(restore.path("state").asString()).isEqualTo("COLD");
    }

    @Test
    void aNodeThatIsBackKeepsWhatNobodyHasBegunToRecover() {
        // given more lost processes than may be on their way at a time
        for (int i = 0; i < 5; i++) {
            restored(100 + i, i);
        }
        loseTheNode();
        awaitStates("PLACING", "PLACING", "PLACING", "PLACING", "WAITING");

        // when the node is heard again with all of them
        JsonNode reply = lost.heartbeat(running(100), running(101), running(102), running(103), running(104))
                .expect(200)
                .json();

        // then it ends those that are about to be elsewhere, and keeps the one whose turn had not come
        assertThat(reply.path("endWorkloads")
                        .valueStream()
                        .map(process -> process.path("pid").asInt()))
                .containsExactlyInAnyOrder(101, 102, 103, 104);
        awaitStates("PLACING", "PLACING", "PLACING", "PLACING", "NOT_NEEDED");
        for (int i = 0; i < 4; i++) {
            other.thawed(claimElsewhere(), 300 + i, "w").expect(204);
        }
        awaitStates("RECOVERED", "RECOVERED", "RECOVERED", "RECOVERED", "NOT_NEEDED");
    }
}
