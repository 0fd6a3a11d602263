package io.gpusnap.node.engine;

import io.gpusnap.gpu.Allocation;
import io.gpusnap.gpu.GpuException;
import io.gpusnap.gpu.TargetStatus;
import io.gpusnap.node.engine.check.ContainerChecks;
import io.gpusnap.node.engine.check.Refusal;
import io.gpusnap.node.engine.check.SaveChecks;
import io.gpusnap.node.engine.device.CudaProcesses;
import io.gpusnap.node.engine.device.GpuPort;
import io.gpusnap.node.engine.device.TargetPort;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.process.Container;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.process.Workload;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Looks at a workload without touching it: its preload's answer, and why a save by an engine would be refused. */
final class Inspector {

    private static final Duration CONNECT_LIMIT = Duration.ofSeconds(2);

    private final NodeRuntime runtime;
    private final SaveChecks checks;

    Inspector(NodeRuntime runtime) {
        this.runtime = runtime;
        this.checks = new SaveChecks(runtime.proc());
    }

    Inspection inspect(Workload workload, EngineId engine) {
        List<ProcessId> tree = runtime.tree().of(workload.process());
        List<Integer> cudaPids = cudaPids(workload, tree);
        List<Refusal> refusals = new ArrayList<>();
        Optional<TargetStatus> status = Optional.empty();
        Map<Integer, Long> heldBytes = new HashMap<>();
        if (!workload.isPreloaded()) {
            refusals.add(new Refusal(
                    FailureCode.WORKLOAD_NOT_MANAGED,
                    "%s was started without libgpusnap-preload.so: set LD_PRELOAD to it and start it again"
                            .formatted(workload.process())));
        } else {
            try {
                status = Optional.of(ask(cudaPids, heldBytes, refusals));
            } catch (GpuException e) {
                StageException typed = Failures.typed(e);
                refusals.add(new Refusal(typed.code(), typed.detail()));
            } catch (StageException e) {
                refusals.add(new Refusal(e.code(), e.detail()));
            }
        }
        if (engine.equals(EngineId.CRIU_CUDA)) {
            Optional<ContainerChecks> container = Container.of(runtime.proc(), workload.process())
                    .map(found -> new ContainerChecks(runtime.proc(), found));
            container.ifPresent(found -> refusals.addAll(found.save(workload.process(), tree)));
            refusals.addAll(checks.process(
                    tree, container.map(found -> found.pipes().keySet()).orElse(Set.of())));
            if (!status.map(TargetStatus::hasQuiesceCallbacks).orElse(false)) {
                refusals.addAll(checks.communicators(tree));
            }
            new DeviceNodes(runtime.proc()).difference(cudaPids).ifPresent(refusals::add);
        }
        return new Inspection(status, heldBytes, tree, cudaPids, refusals);
    }

    /** Those whose preload listens; the first process if none does, so that it is asked and the answer says why. */
    private List<Integer> cudaPids(Workload workload, List<ProcessId> tree) {
        List<Integer> listening = runtime.workloads().withPreload(tree);
        return listening.isEmpty() ? List.of(workload.process().pid()) : listening;
    }

    private TargetStatus ask(List<Integer> cudaPids, Map<Integer, Long> heldBytes, List<Refusal> refusals)
            throws StageException, GpuException {
        GpuPort gpu = runtime.requireGpu();
        if (!gpu.driver().hasCheckpoint()) {
            refusals.add(new Refusal(
                    FailureCode.CAPABILITY_MISSING,
                    "driver %s has no checkpoint calls: it takes 570 or newer"
                            .formatted(gpu.driver().build())));
        }
        try (TargetPort target =
                new CudaProcesses(gpu, cudaPids, runtime.settings().driverCallLimit()).open(CONNECT_LIMIT)) {
            TargetStatus status = target.status();
            for (Allocation allocation : target.allocations()) {
                heldBytes.merge(allocation.gpuOrdinal(), allocation.sizeBytes(), Long::sum);
            }
            refusals.addAll(checks.device(
                    status,
                    gpu.devices().stream()
                            .filter(device -> heldBytes.containsKey(device.ordinal()))
                            .toList()));
            return status;
        }
    }
}
