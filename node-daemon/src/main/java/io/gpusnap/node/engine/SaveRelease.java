package io.gpusnap.node.engine;

import io.gpusnap.gpu.GpuException;
import io.gpusnap.node.engine.device.TargetPort;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.process.ProcessException;

/** Both sides let the physical memory go; the address ranges stay reserved. For a process that keeps its context this is all. */
final class SaveRelease extends EngineStage {

    private final SaveSession session;

    SaveRelease(SaveSession session) {
        super("release", session.times());
        this.session = session;
    }

    @Override
    void execute(StageContext context) throws StageException, GpuException {
        TargetPort target = session.target(context);
        target.unimportMemory();
        target.release();
        session.state(WorkloadInfo.State.SUSPENDED);
        context.remember(SaveSession.recall(context, Pause.class).ending());
    }

    @Override
    void undo(StageContext context) throws StageException, ProcessException, InterruptedException {
        Rescue rescue = new Rescue(session, context);
        if (rescue.stillAlive()) {
            rescue.memory();
        }
    }
}
