package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.node.criu.TestCriu;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.OperationOutcome;
import io.gpusnap.node.operation.StageListener;
import io.gpusnap.node.operation.StagePoint;
import io.gpusnap.node.process.PlaceholderState;
import io.gpusnap.node.process.ProcFs;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.store.ContainerPart;
import io.gpusnap.node.store.Manifest;
import io.gpusnap.node.store.SnapshotId;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** A workload leaves one container and comes back in another one, in which a placeholder waits for it. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ContainerIT {

    private static final String PROMPT = "warm";
    private static final String MOUNT = "/srv/gpusnap-test-volume";

    @TempDir
    static Path folder;

    private final StartedContainers containers = new StartedContainers();
    private TestNode node;
    private SnapshotId snapshot;
    private String answer;

    @BeforeAll
    void aWarmServerIsSavedInTheFirstPod() throws Exception {
        TestNatives.require();
        TestCriu.require();
        // given scratch is mounted where no container sees it
        TestNode.hugePages(folder);
        node = TestNode.open(folder);
        TestContainer first = start(TestContainer.Setup.pod("web-0", "10.4.0.7").with("--tmpfs", MOUNT));
        first.awaitReady();
        answer = first.answer(PROMPT);
        SaveOutcome saved = node.save(
                        EngineId.CRIU_CUDA, SnapshotId.random(), first.workload(), AfterSave.STOP, StageListener.NONE)
                .succeeded()
                .fact(SaveOutcome.class);
        snapshot = saved.snapshot();
        // The placeholder ends as its workload ended.
        assertThat(first.exitStatus()).isEqualTo(128 + 9);
        end();
    }

    @AfterEach
    void end() throws Exception {
        containers.end();
    }

    @AfterAll
    void close() throws Exception {
        node.close();
        TestNode.cleanUp(folder);
    }

    private TestContainer start(TestContainer.Setup setup, String... server) throws Exception {
        return containers.start(folder, setup, server);
    }

    /** A pod of the same Deployment: other name, other address. */
    private TestContainer.Setup waitingPod() {
        return TestContainer.Setup.pod("web-1", "10.4.0.8")
                .with("--tmpfs", MOUNT)
                .waiting();
    }

    private TestContainer startWaiting(TestContainer.Setup setup) throws Exception {
        return start(setup).awaitState(PlaceholderState.WAITING);
    }

    @Test
    void itGoesOnInAnotherContainerWhichIsThenItsOwn() throws Exception {
        // given
        TestContainer second = startWaiting(waitingPod());
        // when
        ThawOutcome thawed = node.thawInto(second.ref(), snapshot, StageListener.NONE)
                .succeeded()
                .fact(ThawOutcome.class);
        // then it is the container's, in all of its namespaces
        assertThat(second.state()).isEqualTo(PlaceholderState.RUNNING);
        assertThat(second.workload()).isEqualTo(new ProcessId(thawed.pid(), thawed.startTimeTicks()));
        for (String namespace : List.of("pid", "mnt", "net", "ipc", "uts", "cgroup")) {
            assertThat(new ProcFs().link(thawed.pid(), "ns/" + namespace))
                    .as(namespace)
                    .isEqualTo(new ProcFs().link(second.init().pid(), "ns/" + namespace));
        }
        assertThat(Files.readString(Path.of("/proc/" + thawed.pid() + "/cgroup")))
                .isEqualTo(Files.readString(Path.of("/proc/" + second.init().pid() + "/cgroup")));
        // and it is reported as this pod's, though its environment is that of the first one
        assertThat(new ProcFs().environment(thawed.pid()).get("GPUSNAP_WORKLOAD"))
                .isNotEqualTo(second.ref().podUid());
        assertThat(node.engines().workloads())
                .filteredOn(workload -> workload.process().pid() == thawed.pid())
                .extracting(WorkloadInfo::name)
                .containsExactly(second.ref().podUid());
        // and it is what it was
        assertThat(second.answer(PROMPT)).isEqualTo(answer);
        second.answer("new");
        assertThat(Files.readAllLines(second.root().resolve("srv/gpusnap-test-model/state")))
                .as("the file that the first one wrote, and goes on to write")
                .hasSize(2);
        // and the kubelet's signal, the exit status and the log are the workload's
        assertThat(second.terminate()).isZero();
        assertThat(second.log()).contains("stopped after");
    }

    @Test
    void theManifestSaysWhatTheContainerMustHave() throws Exception {
        Manifest manifest = node.engines().manifest(snapshot);
        ContainerPart container = manifest.container().orElseThrow();
        assertThat(manifest.schema()).isEqualTo(Manifest.CONTAINER_SCHEMA);
        assertThat(manifest.process().pid()).isEqualTo(2);
        assertThat(container.mounts()).contains(new ContainerPart.MountPoint(MOUNT, "tmpfs"));
        assertThat(container.pipes())
                .singleElement()
                .satisfies(pipe -> assertThat(pipe.descriptor()).isBetween(1, 2));
        assertThat(container.addresses()).isEmpty();
        assertThat(container.files())
                .extracting(ContainerPart.WrittenFile::path)
                .contains(TestContainer.MODEL.resolve("state").toString());
    }

    @Test
    void aMissingMountIsRefusedAndTheServiceStartsCold() throws Exception {
        TestContainer second =
                startWaiting(TestContainer.Setup.pod("web-1", "10.4.0.8").waiting());
        OperationOutcome.Failed failed =
                node.thawInto(second.ref(), snapshot, StageListener.NONE).failed();
        assertThat(failed.code()).isEqualTo(FailureCode.PATH_MISSING);
        assertThat(failed.detail()).contains(MOUNT).contains("mount");
        assertThat(failed.undoProblems()).isEmpty();
        assertStartsCold(second);
    }

    @Test
    void aPodThatWasMadeAnewIsAnotherPodAndKeepsWaiting() throws Exception {
        TestContainer second = startWaiting(waitingPod());
        ContainerRef old =
                new ContainerRef(UUID.randomUUID().toString(), second.ref().containerId());
        OperationOutcome.Failed failed =
                node.thawInto(old, snapshot, StageListener.NONE).failed();
        assertThat(failed.code()).isEqualTo(FailureCode.CONTAINER_NOT_FOUND);
        assertThat(failed.detail()).contains(old.podUid()).contains("UID");
        assertThat(second.state()).isEqualTo(PlaceholderState.WAITING);
        assertThat(second.children()).isEmpty();
    }

    @Test
    void aPodThatNothingIsThawedIntoAnyMoreStartsColdAndNoOther() throws Exception {
        // given two that wait
        TestContainer second = startWaiting(waitingPod());
        TestContainer other = startWaiting(TestContainer.Setup.pod("web-2", "10.4.0.9")
                .with("--tmpfs", MOUNT)
                .waiting());
        // when the service tells of one of them, and of one that is not here
        List<String> told = List.of(second.ref().podUid(), UUID.randomUUID().toString());
        assertThat(node.engines().startCold(told)).containsExactly(second.init());
        // then
        assertStartsCold(second);
        assertThat(other.state()).isEqualTo(PlaceholderState.WAITING);
        // and once it serves it is left alone, though the service goes on telling
        ProcessId serving = second.workload();
        assertThat(node.engines().startCold(told)).isEmpty();
        assertThat(second.workload()).isEqualTo(serving);
    }

    @Test
    void aContainerThatServesAlreadyIsLeftAlone() throws Exception {
        TestContainer second =
                start(TestContainer.Setup.pod("web-1", "10.4.0.8")).awaitState(PlaceholderState.RUNNING);
        ProcessId serving = second.workload();
        OperationOutcome.Failed failed =
                node.thawInto(second.ref(), snapshot, StageListener.NONE).failed();
        assertThat(failed.code()).isEqualTo(FailureCode.CONTAINER_NOT_READY);
        assertThat(second.workload()).isEqualTo(serving);
    }

    @Test
    void aSnapshotOfAContainerIsNotThawedAmongTheNodesOwnProcesses() throws Exception {
        OperationOutcome.Failed failed = node.thaw(EngineId.CRIU_CUDA, snapshot).failed();
        assertThat(failed.code()).isEqualTo(FailureCode.INCOMPATIBLE);
        assertThat(failed.detail()).contains("in a container");
    }

    @Test
    void anAddressOfTheOldPodIsRefused() throws Exception {
        // given a server that listens on its pod's address only
        TestContainer first = start(TestContainer.Setup.pod("web-0", "10.4.0.7"), "--address", "10.4.0.7");
        first.awaitLog("listens on");
        SnapshotId bound = node.save(
                        EngineId.CRIU_CUDA, SnapshotId.random(), first.workload(), AfterSave.STOP, StageListener.NONE)
                .succeeded()
                .fact(SaveOutcome.class)
                .snapshot();
        TestContainer second =
                startWaiting(TestContainer.Setup.pod("web-1", "10.4.0.8").waiting());
        // when
        OperationOutcome.Failed failed =
                node.thawInto(second.ref(), bound, StageListener.NONE).failed();
        // then
        assertThat(failed.code()).isEqualTo(FailureCode.INCOMPATIBLE);
        assertThat(failed.detail()).contains("10.4.0.7").contains("10.4.0.8");
    }

    @Test
    void aDaemonThatDiesInTheMiddleLeavesNothingHalfAliveAndTheServiceStartsCold() throws Exception {
        for (String stage : List.of("criu-restore", "fill-host")) {
            TestContainer second = startWaiting(waitingPod());
            node.close();
            DoomedDaemon.live(
                    folder,
                    stage,
                    StagePoint.INSIDE,
                    "thaw-into",
                    second.ref().podUid(),
                    second.ref().containerId(),
                    snapshot.toString());
            assertThat(second.state()).as(stage).isEqualTo(PlaceholderState.CLAIMED);
            // when the next daemon starts
            node = TestNode.open(folder);
            TestNode.Ended ended = node.recover();
            // then
            assertThat(ended.failed().code()).as(stage).isEqualTo(FailureCode.DAEMON_RESTARTED);
            assertThat(ended.failed().undoProblems()).as(stage).isEmpty();
            node.journal().forget(ended.log().spec().id());
            assertStartsCold(second);
            second.close();
        }
    }

    @Test
    void withoutADaemonThePlaceholderLosesItsPatienceWithAClaim() throws Exception {
        // given a placeholder that bears with a claim for no time at all
        TestContainer.Setup pod = waitingPod();
        TestContainer second = startWaiting(new TestContainer.Setup(
                pod.podUid(),
                pod.host(),
                pod.address(),
                pod.runtimeArguments(),
                List.of("--wait", "120", "--claim", "1")));
        // when it is claimed and nobody comes back to it
        new Placeholder(new ProcFs(), TestNatives.folder().resolve("gpusnap-enter"), second.init()).claim();
        // then
        assertStartsCold(second);
    }

    /** One process, which is new and serves; nothing of the snapshot. */
    private void assertStartsCold(TestContainer container) throws Exception {
        container.awaitState(PlaceholderState.RUNNING).awaitReady();
        assertThat(container.children()).hasSize(1);
        assertThat(container.log()).contains("starting " + TestNatives.cudaServer());
        assertThat(container.answer(PROMPT)).as("the token is another one").isNotEqualTo(answer);
    }
}
