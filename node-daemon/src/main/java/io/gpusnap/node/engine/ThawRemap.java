package io.gpusnap.node.engine;

import io.gpusnap.gpu.GpuException;
import io.gpusnap.gpu.GpuStatus;
import io.gpusnap.gpu.TargetState;
import io.gpusnap.node.operation.OnRestart;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Physical memory at the addresses of old: fresh, or what was made ahead. */
final class ThawRemap extends EngineStage {

    private static final Logger LOG = LoggerFactory.getLogger(ThawRemap.class);

    private final ThawSession session;

    ThawRemap(ThawSession session) {
        super("remap", session.times());
        this.session = session;
    }

    @Override
    public OnRestart onRestart() {
        return session.onRestart();
    }

    @Override
    void execute(StageContext context) throws StageException, GpuException, InterruptedException {
        if (session.target(context).status().state() != TargetState.RELEASED) {
            return;
        }
        Optional<ThawAhead> ahead = session.ahead();
        if (ahead.isEmpty() || !remapped(context, ahead.get())) {
            Rescue.remap(session.target(context));
        }
    }

    /** What was made ahead and stands in the way is dropped: the process makes its memory itself then. */
    private boolean remapped(StageContext context, ThawAhead ahead)
            throws StageException, GpuException, InterruptedException {
        try {
            ahead.give(session.target(context));
        } catch (GpuException e) {
            LOG.warn("memory that was made ahead could not be given: {}", e.getMessage());
            session.closeTarget(); // it may be the connection that broke
            session.endAhead();
            return false;
        }
        try {
            session.target(context).remap();
            return true;
        } catch (GpuException e) {
            if (e.status() != GpuStatus.NO_DEVICE_MEMORY) {
                throw e;
            }
            // Perhaps because the process did not take what was made for it.
            LOG.warn("with what was made ahead there is no room for the rest: {}", e.getMessage());
            session.endAhead();
            return false;
        }
    }
}
