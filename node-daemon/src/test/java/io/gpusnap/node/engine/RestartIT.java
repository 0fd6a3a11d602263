package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.node.criu.TestCriu;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.OperationId;
import io.gpusnap.node.operation.OperationOutcome;
import io.gpusnap.node.operation.StagePoint;
import io.gpusnap.node.process.ProcFs;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.tier.TierKind;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A daemon is killed with SIGKILL in every stage: where it is done and nobody knows, and for stages that take their time, in
 * the middle too. Then a new one starts.
 */
class RestartIT {

    /** Here a CRIU at work outlives the daemon. */
    private static final Set<String> CRIU_STAGES = Set.of("dump", "criu-restore");

    private static final Set<String> LONG_STAGES = Set.of(
            "drain", "checkpoint", "dump", "revive", "store", "materialise", "criu-restore", "fill-host", "fill");
    private static final String PROMPT = "warm";

    @TempDir
    Path folder;

    private TestWorkload workload;
    private String answer;

    @BeforeEach
    void start() throws Exception {
        TestNatives.require();
        workload = TestWorkload.start(folder.resolve("workload"), Map.of(), List.of("--host-mib", "24"));
        answer = workload.answer(PROMPT);
    }

    @AfterEach
    void end() throws Exception {
        if (workload != null) {
            workload.close();
        }
        TestNode.cleanUp(folder);
    }

    @Test
    void inASaveThatKeepsTheWorkloadRunning() throws Exception {
        TestCriu.require();
        for (String stage : stages(EngineId.CRIU_CUDA, AfterSave.KEEP_RUNNING)) {
            for (StagePoint point : points(stage)) {
                // when
                SnapshotId snapshot = killedSave(EngineId.CRIU_CUDA, AfterSave.KEEP_RUNNING, stage, point);
                try (TestNode node = TestNode.open(folder)) {
                    TestNode.Ended ended = node.recover();
                    // then the workload goes on, whichever way it went
                    assertThat(ended.log().recall(WorkloadLost.class))
                            .as("%s %s", stage, point)
                            .isEmpty();
                    assertThat(workload.answer(PROMPT))
                            .as("%s %s", stage, point)
                            .isEqualTo(answer);
                    assertOutcome(node, ended, snapshot, stage, point);
                }
            }
        }
    }

    @Test
    void inASaveThatStopsTheWorkload() throws Exception {
        TestCriu.require();
        for (String stage : List.of("dump", "store", "commit")) {
            for (StagePoint point : points(stage)) {
                SnapshotId snapshot = killedSave(EngineId.CRIU_CUDA, AfterSave.STOP, stage, point);
                try (TestNode node = TestNode.open(folder)) {
                    TestNode.Ended ended = node.recover();
                    assertThat(ended.log().recall(WorkloadLost.class))
                            .as("%s %s", stage, point)
                            .isEmpty();
                    assertOutcome(node, ended, snapshot, stage, point);
                    if (ended.outcome() instanceof OperationOutcome.Succeeded) {
                        // it has ended, and comes back
                        assertThat(workload.isAlive()).as("%s %s", stage, point).isFalse();
                        ThawOutcome thaw = node.thaw(
                                        EngineId.CRIU_CUDA,
                                        ended.fact(SaveOutcome.class).snapshot())
                                .succeeded()
                                .fact(ThawOutcome.class);
                        workload.became(new ProcessId(thaw.pid(), thaw.startTimeTicks()));
                    }
                    assertThat(workload.answer(PROMPT))
                            .as("%s %s", stage, point)
                            .isEqualTo(answer);
                }
            }
        }
    }

    @Test
    void withTheMachineNothingIsLeftOfASaveButItsFailure() throws Exception {
        for (String stage : List.of("drain", "store")) {
            // given a machine that dies with its processes, its memory, and what was not yet on the disk
            SnapshotId snapshot = killedSave(EngineId.SUSPEND, AfterSave.STOP, stage, StagePoint.RETURNED);
            workload.close();
            TestNode.cleanUp(folder);
            loseWhatIsNotDurable();
            assertThat(folder.resolve("nvme/pending/" + snapshot + ".json").toFile())
                    .matches(pending -> pending.exists() == stage.equals("store"));
            // when
            try (TestNode node = TestNode.open(folder)) {
                TestNode.Ended ended = node.recover();
                // then
                assertThat(ended.failed().undoProblems()).as(stage).isEmpty();
                assertThat(node.engines().snapshots()).as(stage).isEmpty();
                node.journal().forget(ended.log().spec().id());
            }
            assertThat(folder.resolve("nvme/pending")).as(stage).isEmptyDirectory();
            try (Stream<Path> chunks = Files.walk(folder.resolve("nvme/chunks"))) {
                assertThat(chunks.filter(Files::isRegularFile)).as(stage).isEmpty();
            }
            start();
        }
    }

    /** The journal up to where its last line calls it durable. */
    private void loseWhatIsNotDurable() throws Exception {
        try (Stream<Path> files = Files.walk(folder.resolve("state/journal"))) {
            for (Path log : (Iterable<Path>) files.filter(file -> file.endsWith("events.log"))::iterator) {
                String last = Files.readAllLines(log).getLast();
                int durable = Integer.parseInt(last.substring(last.indexOf('@') + 1, last.indexOf(' ')), 16);
                Files.write(log, Arrays.copyOf(Files.readAllBytes(log), durable));
            }
        }
    }

    @Test
    void inASuspendAndInAResume() throws Exception {
        for (String stage : List.of("checkpoint", "store", "verify", "commit")) {
            for (StagePoint point : points(stage)) {
                SnapshotId snapshot = killedSave(EngineId.SUSPEND, AfterSave.STOP, stage, point);
                try (TestNode node = TestNode.open(folder)) {
                    TestNode.Ended ended = node.recover();
                    assertOutcome(node, ended, snapshot, stage, point);
                    if (ended.outcome() instanceof OperationOutcome.Succeeded) {
                        node.thaw(EngineId.SUSPEND, snapshot).succeeded();
                    }
                    assertThat(workload.answer(PROMPT))
                            .as("%s %s", stage, point)
                            .isEqualTo(answer);
                }
            }
        }
        for (String stage : List.of("preflight", "verify", "driver-restore", "remap", "fill", "resume", "health")) {
            for (StagePoint point : points(stage)) {
                SnapshotId snapshot;
                try (TestNode node = TestNode.open(folder)) {
                    snapshot = node.save(EngineId.SUSPEND, workload, AfterSave.STOP)
                            .succeeded()
                            .fact(SaveOutcome.class)
                            .snapshot();
                }
                DoomedDaemon.live(folder, stage, point, "thaw", "suspend", snapshot.toString());
                try (TestNode node = TestNode.open(folder)) {
                    TestNode.Ended ended = node.recover();
                    if (!(ended.outcome() instanceof OperationOutcome.Succeeded)) {
                        assertThat(ended.failed().code())
                                .as("%s %s", stage, point)
                                .isEqualTo(FailureCode.DAEMON_RESTARTED);
                        assertThat(ended.failed().undoProblems())
                                .as("%s %s", stage, point)
                                .isEmpty();
                        node.thaw(EngineId.SUSPEND, snapshot).succeeded();
                    }
                    assertThat(workload.answer(PROMPT))
                            .as("%s %s", stage, point)
                            .isEqualTo(answer);
                }
            }
        }
    }

    @Test
    void inAThaw() throws Exception {
        long free = freeBytes();
        inAThaw(List.of(
                "preflight",
                "materialise",
                "criu-restore",
                "fill-host",
                "verify",
                "driver-restore",
                "remap",
                "fill",
                "resume",
                "health"));
        workload.end();
        Awaitility.await("device memory is free again").until(() -> freeBytes() >= free);
    }

    private long freeBytes() throws Exception {
        try (TestNode node = TestNode.open(folder)) {
            return node.engines().gpus().getFirst().freeBytes();
        }
    }

    @Test
    void inAThawThatFillsAfterwards() throws Exception {
        TestNode.fillAfter(folder);
        inAThaw(List.of("criu-restore", "driver-restore", "remap", "fill"));
    }

    private void inAThaw(List<String> stages) throws Exception {
        TestCriu.require();
        SnapshotId snapshot;
        try (TestNode node = TestNode.open(folder)) {
            snapshot = node.save(EngineId.CRIU_CUDA, workload, AfterSave.STOP)
                    .succeeded()
                    .fact(SaveOutcome.class)
                    .snapshot();
        }
        int pid = workload.process().pid();
        for (String stage : stages) {
            for (StagePoint point : points(stage)) {
                DoomedDaemon.live(folder, stage, point, "thaw", "criu+cuda", snapshot.toString());
                try (TestNode node = TestNode.open(folder)) {
                    TestNode.Ended ended = node.recover();
                    if (ended.outcome() instanceof OperationOutcome.Succeeded) {
                        // past the point of no return: it was finished
                        assertThat(stage).isIn("resume", "health");
                        ThawOutcome thaw = ended.fact(ThawOutcome.class);
                        workload.became(new ProcessId(thaw.pid(), thaw.startTimeTicks()));
                        assertThat(workload.answer(PROMPT))
                                .as("%s %s", stage, point)
                                .isEqualTo(answer);
                        workload.end();
                    } else {
                        assertThat(ended.failed().code())
                                .as("%s %s", stage, point)
                                .isEqualTo(FailureCode.DAEMON_RESTARTED);
                        assertThat(ended.failed().undoProblems())
                                .as("%s %s", stage, point)
                                .isEmpty();
                        assertThat(new ProcFs().stat(pid).filter(stat -> !stat.isDead()))
                                .as("%s %s: no orphan", stage, point)
                                .isEmpty();
                    }
                    assertNothingIsHeld(node, stage, point);
                }
            }
        }
        // and the snapshot is as good as ever
        try (TestNode node = TestNode.open(folder)) {
            node.verify(snapshot).succeeded();
            ThawOutcome thaw =
                    node.thaw(EngineId.CRIU_CUDA, snapshot).succeeded().fact(ThawOutcome.class);
            workload.became(new ProcessId(thaw.pid(), thaw.startTimeTicks()));
            assertThat(workload.answer(PROMPT)).isEqualTo(answer);
        }
    }

    private static List<StagePoint> points(String stage) {
        List<StagePoint> points = new ArrayList<>(List.of(StagePoint.RETURNED));
        if (LONG_STAGES.contains(stage)) {
            points.add(StagePoint.INSIDE);
        }
        if (CRIU_STAGES.contains(stage)) {
            points.add(StagePoint.STARTED);
        }
        return points;
    }

    private void assertOutcome(TestNode node, TestNode.Ended ended, SnapshotId snapshot, String stage, StagePoint point)
            throws Exception {
        if (ended.outcome() instanceof OperationOutcome.Succeeded) {
            assertThat(node.engines().snapshots()).as("%s %s", stage, point).contains(snapshot);
            node.verify(snapshot).succeeded();
        } else {
            assertThat(ended.failed().code()).as("%s %s", stage, point).isEqualTo(FailureCode.DAEMON_RESTARTED);
            assertThat(ended.failed().undoProblems()).as("%s %s", stage, point).isEmpty();
            assertThat(node.engines().snapshots()).as("%s %s", stage, point).doesNotContain(snapshot);
        }
        assertNothingIsHeld(node, stage, point);
    }

    private void assertNothingIsHeld(TestNode node, String stage, StagePoint point) throws Exception {
        assertThat(node.engines().tiers())
                .filteredOn(tier -> tier.kind() == TierKind.MEMORY)
                .singleElement()
                .satisfies(tier ->
                        assertThat(tier.freeBytes()).as("%s %s", stage, point).isEqualTo(tier.capacityBytes()));
        assertThat(TestNode.settings(folder, TestNode.POOL_BYTES).scratchDir())
                .as("%s %s", stage, point)
                .isEmptyDirectory();
        assertThat(folder.resolve("nvme/pending")).as("%s %s", stage, point).isEmptyDirectory();
    }

    private SnapshotId killedSave(EngineId engine, AfterSave afterSave, String stage, StagePoint point)
            throws Exception {
        SnapshotId snapshot = SnapshotId.random();
        DoomedDaemon.live(
                folder,
                stage,
                point,
                "save",
                engine.value(),
                snapshot.toString(),
                afterSave.name(),
                Integer.toString(workload.process().pid()),
                Long.toString(workload.process().startTimeTicks()));
        return snapshot;
    }

    private List<String> stages(EngineId engine, AfterSave afterSave) throws Exception {
        try (TestNode node = TestNode.open(folder)) {
            SaveRequest request =
                    new SaveRequest(OperationId.random(), SnapshotId.random(), workload.process(), afterSave, Map.of());
            var plan = node.engines().byId(engine).save(request);
            plan.release().run();
            return plan.stageNames();
        }
    }
}
