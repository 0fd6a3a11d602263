package io.gpusnap.node.engine;

import io.gpusnap.node.criu.CriuProbe;
import io.gpusnap.node.criu.CriuRunner;
import io.gpusnap.node.criu.Enclosure;
import io.gpusnap.node.engine.check.Fingerprints;
import io.gpusnap.node.engine.device.CudaProcesses;
import io.gpusnap.node.engine.device.DirectStorage;
import io.gpusnap.node.engine.device.GpuPort;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.OperationId;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.peer.FanOut;
import io.gpusnap.node.process.Container;
import io.gpusnap.node.process.HostFacts;
import io.gpusnap.node.process.ProcFs;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.process.ProcessTree;
import io.gpusnap.node.process.Workloads;
import io.gpusnap.node.snapshot.SnapshotStore;
import io.gpusnap.node.store.ContainerPart;
import io.gpusnap.node.transfer.Traffic;
import io.gpusnap.node.transfer.Transfer;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * What all stages of this node share.
 *
 * @param gpu empty without a driver
 * @param gpuReason what was found, or why there is none
 * @param scratchPages whether scratch has huge ones
 * @param direct whether a thaw reads chunks straight into device memory
 * @param traffic who goes first
 * @param fanOut what it does for other nodes, and they for it
 */
record NodeRuntime(
        EngineSettings settings,
        String version,
        SnapshotStore store,
        Optional<GpuPort> gpu,
        String gpuReason,
        CriuRunner criu,
        CriuProbe criuProbe,
        HostFacts host,
        ProcFs proc,
        ProcessTree tree,
        Workloads workloads,
        Fingerprints fingerprints,
        SuspendedProcesses suspended,
        BusyWorkloads busy,
        boolean poolPinned,
        String poolReason,
        Capability scratchPages,
        DirectStorage direct,
        Traffic traffic,
        FanOut fanOut) {

    private static final int HIGHEST_ID = 32_000;
    /** By gpusnap-enter, upwards. */
    private static final int IDS_TRIED = 100;

    LeftBehind leftBehind() {
        return new LeftBehind(suspended, busy, proc, new Gates(this)::areOpen);
    }

    /** By name. */
    Tiers tiers() {
        return new Tiers(store);
    }

    /** @throws StageException CAPABILITY_MISSING */
    GpuPort requireGpu() throws StageException {
        return gpu.orElseThrow(() -> new StageException(FailureCode.CAPABILITY_MISSING, gpuReason));
    }

    /** Those of a workload's processes that use CUDA; empty when none does. */
    Optional<CudaProcesses> cuda(ProcessId process) {
        List<Integer> pids = workloads.withPreload(tree.of(process));
        return pids.isEmpty()
                ? Optional.empty()
                : gpu.map(port -> new CudaProcesses(port, pids, settings.driverCallLimit()));
    }

    /** @throws StageException CRIU_UNAVAILABLE */
    void requireCriu() throws StageException {
        if (!criuProbe.available()) {
            throw new StageException(FailureCode.CRIU_UNAVAILABLE, criuProbe.reason());
        }
    }

    /**
     * CRIU in a container.
     *
     * @param taskIds that it must leave free
     */
    CriuRunner criuIn(Container container, List<Integer> taskIds, List<ContainerPart.LogPipe> pipes) {
        return criu.inside(new Enclosure(
                enter(),
                container.init().pid(),
                container.init().startTimeTicks(),
                freeId(taskIds),
                pipes.stream()
                        .map(pipe -> new Enclosure.Pipe(pipe.name(), pipe.descriptor()))
                        .toList()));
    }

    /** The way into containers, beside the daemon's libraries. */
    Path enter() {
        return settings.nativeDir().resolve("gpusnap-enter");
    }

    /** The first of a hundred ids that none of these is; below the least limit that a machine has. */
    private static int freeId(List<Integer> taskIds) {
        int first = HIGHEST_ID - IDS_TRIED;
        while (first > IDS_TRIED && taskIds.stream().anyMatch(within(first))) {
            first -= IDS_TRIED;
        }
        return first;
    }

    private static Predicate<Integer> within(int first) {
        return id -> id >= first && id < first + IDS_TRIED;
    }

    /** Where an operation's process image lives while it runs. */
    Path scratch(OperationId operation) {
        return settings.scratchDir().resolve(operation.toString());
    }

    Transfer transfer(StageContext context) {
        return new Transfer(settings.threads(), context.progress()::addBytes, context::checkCancelled);
    }
}
