package io.gpusnap.node.engine;

import io.gpusnap.gpu.GpuException;
import io.gpusnap.gpu.TargetState;
import io.gpusnap.node.engine.device.TargetPort;
import io.gpusnap.node.operation.OnRestart;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;

/** The gate opens. */
final class ThawResume extends EngineStage {

    private final ThawSession session;

    ThawResume(ThawSession session) {
        super("resume", session.times());
        this.session = session;
    }

    @Override
    public OnRestart onRestart() {
        return OnRestart.RERUN;
    }

    @Override
    public boolean pointOfNoReturn() {
        return true;
    }

    @Override
    void execute(StageContext context) throws StageException, GpuException {
        TargetPort target = session.target(context);
        if (target.status().state() != TargetState.RUNNING) {
            open(context, target);
        }
    }

    /** What counts is the gate: if only the answer was lost, the process serves, and there is no way back from that. */
    private void open(StageContext context, TargetPort target) throws StageException, GpuException {
        try {
            target.resume();
        } catch (GpuException e) {
            session.closeTarget();
            if (session.target(context).status().state() != TargetState.RUNNING) {
                throw e;
            }
        }
    }
}
