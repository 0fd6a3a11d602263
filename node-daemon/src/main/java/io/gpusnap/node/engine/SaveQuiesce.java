package io.gpusnap.node.engine;

import io.gpusnap.gpu.GpuException;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.process.ProcessException;

/** The workload's gate closes, and its device becomes idle. From here on it waits. */
final class SaveQuiesce extends EngineStage {

    private final SaveSession session;

    SaveQuiesce(SaveSession session) {
        super("quiesce", session.times());
        this.session = session;
    }

    @Override
    void execute(StageContext context) throws StageException, GpuException {
        context.remember(Pause.beginning());
        session.target(context).quiesce(session.request().quiesceLimit());
        session.state(WorkloadInfo.State.QUIESCED);
    }

    @Override
    void undo(StageContext context) throws StageException, ProcessException {
        Rescue rescue = new Rescue(session, context);
        if (rescue.stillAlive()) {
            rescue.gate();
        }
    }
}
