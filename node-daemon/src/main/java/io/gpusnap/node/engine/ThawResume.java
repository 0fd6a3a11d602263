package io.gpusnap.node.engine;

import io.gpusnap.gpu.GpuException;
import io.gpusnap.gpu.TargetState;
import io.gpusnap.node.engine.device.TargetPort;
import io.gpusnap.node.operation.OnRestart;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The gate opens. */
final class ThawResume extends EngineStage {

    private static final Logger LOG = LoggerFactory.getLogger(ThawResume.class);

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
        letGo(session.target(context));
    }

    /** Of the memory that was filled. The process serves by now: what goes wrong here must not cost it its life. */
    private void letGo(TargetPort target) {
        try {
            target.unimportMemory();
        } catch (GpuException e) {
            LOG.warn("memory that was filled is let go by closing the connection: {}", e.getMessage());
            session.closeTarget();
        }
        session.endAhead();
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
