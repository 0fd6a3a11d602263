package io.gpusnap.node.engine;

import io.gpusnap.gpu.GpuException;
import io.gpusnap.gpu.ProcessState;
import io.gpusnap.gpu.TargetState;
import io.gpusnap.node.engine.device.CudaProcesses;
import io.gpusnap.node.engine.device.TargetPort;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.process.ProcessException;
import io.gpusnap.node.process.ProcessId;
import java.time.Duration;
import java.util.Map;

/** Puts a suspended process whose resume failed back to sleep, with its device memory released, and its context as it was. */
final class Refreeze {

    private static final Duration LOCK_LIMIT = Duration.ofSeconds(10);

    private final ThawSession session;
    private final StageContext context;

    Refreeze(ThawSession session, StageContext context) {
        this.session = session;
        this.context = context;
    }

    void run() throws StageException, ProcessException {
        ProcessId process = ThawSession.process(context);
        if (session.runtime().proc().hasEnded(process)) {
            context.remember(new WorkloadLost(process + " ended while it was being resumed"));
            session.endProcesses(context);
            return;
        }
        try {
            CudaProcesses cuda = session.cuda(context);
            ProcessState state = cuda.state();
            if (state == ProcessState.FAILED) {
                lose(process, "the driver says that it has failed");
                return;
            }
            if (cuda.all(ProcessState.CHECKPOINTED)) {
                return;
            }
            Rescue.driverBack(cuda, Map.of()); // of several some may be back already
            session.closeTarget(); // with it goes what was imported; and it may be the broken connection that made the
            // resume fail
            TargetPort target = session.target(context);
            TargetState memory = target.status().state();
            if (memory == TargetState.REMAPPED || memory == TargetState.RELEASED) {
                target.release(); // of several processes some may have theirs again
            } else {
                lose(process, "its device memory was " + memory + " when its resume failed");
                return;
            }
            if (depth() == SuspendDepth.CONTEXT_RELEASED) {
                cuda.lock(LOCK_LIMIT);
                cuda.checkpoint();
            }
        } catch (GpuException e) {
            lose(process, String.valueOf(e.getMessage()));
        } finally {
            session.closeTarget();
        }
    }

    private SuspendDepth depth() {
        return context.recall(FoundDepth.class).map(FoundDepth::depth).orElse(SuspendDepth.CONTEXT_RELEASED);
    }

    private void lose(ProcessId process, String why) throws ProcessException {
        context.remember(new WorkloadLost(process + " was ended: " + why));
        session.closeTarget();
        session.endProcesses(context);
    }
}
