package io.gpusnap.node.engine;

import io.gpusnap.gpu.GpuException;
import io.gpusnap.gpu.GpuInfo;
import io.gpusnap.node.engine.device.CudaProcesses;
import io.gpusnap.node.engine.device.DeviceContent;
import io.gpusnap.node.engine.device.GpuPort;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.process.ProcessException;
import java.time.Duration;
import java.util.Set;
import java.util.stream.Collectors;

/** The driver takes what is left of the context off the device. */
final class SaveCheckpoint extends EngineStage {

    private static final Duration LOCK_LIMIT = Duration.ofSeconds(10);

    private final SaveSession session;

    SaveCheckpoint(SaveSession session) {
        super("checkpoint", session.times());
        this.session = session;
    }

    @Override
    void execute(StageContext context) throws StageException, GpuException {
        GpuPort gpu = session.runtime().requireGpu();
        CudaProcesses cuda = session.cuda(context);
        Set<Integer> used = used(context);
        long before = freeBytes(gpu, used);
        cuda.lock(LOCK_LIMIT);
        context.checkCancelled();
        cuda.checkpoint();
        // Others may have freed memory at the same moment: an estimate, and on the safe side.
        context.remember(new DriverMemory(Math.max(0, freeBytes(gpu, used) - before)));
        context.remember(SaveSession.recall(context, Pause.class).ending());
    }

    /** Work on other GPUs may go on beside this. */
    private static Set<Integer> used(StageContext context) throws StageException {
        return SaveSession.recall(context, DeviceContent.class).allocations().stream()
                .map(DeviceContent.Allocation::gpuOrdinal)
                .collect(Collectors.toSet());
    }

    private static long freeBytes(GpuPort gpu, Set<Integer> used) throws GpuException {
        return gpu.devices().stream()
                .filter(device -> used.isEmpty() || used.contains(device.ordinal()))
                .mapToLong(GpuInfo::freeBytes)
                .sum();
    }

    @Override
    void undo(StageContext context) throws StageException, ProcessException {
        Rescue rescue = new Rescue(session, context);
        if (rescue.stillAlive()) {
            rescue.driver();
        }
    }
}
