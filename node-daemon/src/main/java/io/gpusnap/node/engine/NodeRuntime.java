package io.gpusnap.node.engine;

import io.gpusnap.node.criu.CriuProbe;
import io.gpusnap.node.criu.CriuRunner;
import io.gpusnap.node.engine.check.Fingerprints;
import io.gpusnap.node.engine.device.CudaProcesses;
import io.gpusnap.node.engine.device.DirectStorage;
import io.gpusnap.node.engine.device.GpuPort;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.OperationId;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.peer.FanOut;
import io.gpusnap.node.process.HostFacts;
import io.gpusnap.node.process.ProcFs;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.process.ProcessTree;
import io.gpusnap.node.process.Workloads;
import io.gpusnap.node.snapshot.SnapshotStore;
import io.gpusnap.node.transfer.Traffic;
import io.gpusnap.node.transfer.Transfer;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What all stages of this node share.
 *
 * @param gpu empty without a driver
 * @param gpuReason what was found, or why there is none
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
        DirectStorage direct,
        Traffic traffic,
        FanOut fanOut) {

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
        return pids.isEmpty() ? Optional.empty() : gpu.map(port -> new CudaProcesses(port, pids));
    }

    /** @throws StageException CRIU_UNAVAILABLE */
    void requireCriu() throws StageException {
        if (!criuProbe.available()) {
            throw new StageException(FailureCode.CRIU_UNAVAILABLE, criuProbe.reason());
        }
    }

    /** Where an operation's process image lives while it runs. */
    Path scratch(OperationId operation) {
        return settings.scratchDir().resolve(operation.toString());
    }

    Transfer transfer(StageContext context) {
        return new Transfer(settings.threads(), context.progress()::addBytes, context::checkCancelled);
    }
}
