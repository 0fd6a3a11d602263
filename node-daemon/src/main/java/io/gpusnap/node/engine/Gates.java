package io.gpusnap.node.engine;

import io.gpusnap.gpu.GpuException;
import io.gpusnap.gpu.TargetState;
import io.gpusnap.node.engine.device.CudaProcesses;
import io.gpusnap.node.engine.device.GpuPort;
import io.gpusnap.node.engine.device.TargetPort;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.process.ProcessId;
import java.time.Duration;
import java.util.Collection;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** Asks preloads whether their processes run or wait. */
final class Gates {

    private static final Duration CONNECT_LIMIT = Duration.ofSeconds(2);

    private final NodeRuntime runtime;

    Gates(NodeRuntime runtime) {
        this.runtime = runtime;
    }

    /** Whether these are known to run: a preload has said so, and none has said anything else. */
    boolean areOpen(Collection<ProcessId> processes) {
        Set<TargetState> states = EnumSet.noneOf(TargetState.class);
        for (int pid : runtime.workloads().withPreload(processes)) {
            try {
                GpuPort gpu = runtime.requireGpu();
                try (TargetPort target = new CudaProcesses(
                                gpu, List.of(pid), runtime.settings().driverCallLimit())
                        .open(CONNECT_LIMIT)) {
                    states.add(target.status().state());
                }
            } catch (GpuException | StageException e) {
                continue; // nothing is known of it
            }
        }
        return states.equals(EnumSet.of(TargetState.RUNNING));
    }
}
