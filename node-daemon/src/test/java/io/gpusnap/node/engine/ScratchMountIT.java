package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.gpusnap.node.criu.TestCriu;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.OperationOutcome;
import io.gpusnap.node.operation.StagePoint;
import io.gpusnap.node.process.Mount;
import io.gpusnap.node.process.ProcFs;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.store.SnapshotId;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** CRIU's images lie on a tmpfs that the daemon mounted; daemons die, also with their mount namespace as a container does. */
class ScratchMountIT {

    private static final String PROMPT = "warm";

    @TempDir
    Path folder;

    private Path scratch;
    private TestWorkload workload;
    private String answer;

    @BeforeEach
    void start() throws Exception {
        TestNatives.require();
        TestCriu.require();
        TestNode.hugePages(folder);
        EngineSettings settings = TestNode.settings(folder, TestNode.POOL_BYTES);
        scratch = settings.scratchDir();
        Capability mount = ScratchMount.look(settings);
        assumeTrue(mount.available(), mount.reason());
        workload = TestWorkload.start(folder.resolve("workload"), Map.of(), List.of("--host-mib", "24"));
        answer = workload.answer(PROMPT);
    }

    @AfterEach
    void end() throws Exception {
        if (workload != null) {
            workload.close();
        }
        while (mount().isPresent()) {
            detach();
        }
        TestNode.cleanUp(folder);
    }

    @Test
    void aWorkloadGoesThroughItAndItGoesWithTheNode() throws Exception {
        try (TestNode node = TestNode.open(folder)) {
            // given
            assertThat(mount())
                    .hasValueSatisfying(one -> assertThat(one.options()).contains("huge=within_size"));
            assertThat(node.engines().capabilities())
                    .filteredOn(one -> one.name().equals(ScratchMount.CAPABILITY))
                    .singleElement()
                    .satisfies(
                            one -> assertThat(one.available()).as(one.reason()).isTrue());
            // when
            SnapshotId snapshot = node.save(EngineId.CRIU_CUDA, workload, AfterSave.STOP)
                    .succeeded()
                    .fact(SaveOutcome.class)
                    .snapshot();
            ThawOutcome thaw =
                    node.thaw(EngineId.CRIU_CUDA, snapshot).succeeded().fact(ThawOutcome.class);
            // then
            assertThat(node.engines().manifest(snapshot).compatibility().mounts())
                    .contains("/proc")
                    .doesNotContain(scratch.toString());
            workload.became(new ProcessId(thaw.pid(), thaw.startTimeTicks()));
            assertThat(workload.answer(PROMPT)).isEqualTo(answer);
        }
        assertThat(mount()).isEmpty();
    }

    @Test
    void theNextDaemonFindsTheDumpOfOneThatWasKilled() throws Exception {
        SnapshotId snapshot = killedSave("dump", StagePoint.RETURNED, AfterSave.KEEP_RUNNING);
        assertThat(mount()).isPresent();
        try (TestNode node = TestNode.open(folder)) {
            node.recover().succeeded();
            node.verify(snapshot).succeeded();
        }
        assertThat(workload.answer(PROMPT)).isEqualTo(answer);
        assertThat(mount()).isEmpty();
    }

    @Test
    void aDumpThatIsGoneWithTheDaemonsContainerFailsTheSaveAndTheWorkloadGoesOn() throws Exception {
        SnapshotId snapshot = killedSave("store", StagePoint.INSIDE, AfterSave.STOP);
        detach();
        try (TestNode node = TestNode.open(folder)) {
            OperationOutcome.Failed failed = node.recover().failed();
            assertThat(failed.code()).isEqualTo(FailureCode.DAEMON_RESTARTED);
            assertThat(failed.detail()).contains("is gone, and the process's dump with it");
            assertThat(failed.undoProblems()).isEmpty();
            assertThat(node.engines().snapshots()).doesNotContain(snapshot);
        }
        assertThat(folder.resolve("nvme/pending")).isEmptyDirectory();
        assertThat(workload.answer(PROMPT)).isEqualTo(answer);
    }

    @Test
    void aDumpThatWasUnderWayInTheDaemonsContainerIsMadeAgainAndThaws() throws Exception {
        for (StagePoint point : List.of(StagePoint.STARTED, StagePoint.RETURNED)) {
            SnapshotId snapshot = killedSave("dump", point, AfterSave.STOP);
            detach(); // CRIU goes on and holds what it writes to; nobody else finds it
            try (TestNode node = TestNode.open(folder)) {
                TestNode.Ended ended = node.recover();
                assertThat(ended.log().recall(WorkloadLost.class))
                        .as("%s", point)
                        .isEmpty();
                ended.succeeded();
                ThawOutcome thaw =
                        node.thaw(EngineId.CRIU_CUDA, snapshot).succeeded().fact(ThawOutcome.class);
                workload.became(new ProcessId(thaw.pid(), thaw.startTimeTicks()));
                node.journal().forget(ended.log().spec().id());
            }
            assertThat(workload.answer(PROMPT)).as("%s", point).isEqualTo(answer);
        }
    }

    private SnapshotId killedSave(String stage, StagePoint point, AfterSave afterSave) throws Exception {
        SnapshotId snapshot = SnapshotId.random();
        DoomedDaemon.live(
                folder,
                stage,
                point,
                "save",
                EngineId.CRIU_CUDA.value(),
                snapshot.toString(),
                afterSave.name(),
                Integer.toString(workload.process().pid()),
                Long.toString(workload.process().startTimeTicks()));
        return snapshot;
    }

    private Optional<Mount> mount() {
        return new ProcFs()
                .mounts((int) ProcessHandle.current().pid()).stream()
                        .filter(one -> one.point().equals(scratch.toString()))
                        .findFirst();
    }

    /** As the end of a mount namespace does it: whoever has something open there keeps that. */
    private void detach() throws Exception {
        Process umount = new ProcessBuilder("umount", "-l", scratch.toString())
                .inheritIO()
                .start();
        assertThat(umount.waitFor()).isZero();
    }
}
