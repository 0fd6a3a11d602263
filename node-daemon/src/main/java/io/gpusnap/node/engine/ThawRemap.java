package io.gpusnap.node.engine;

import io.gpusnap.gpu.GpuException;
import io.gpusnap.gpu.TargetState;
import io.gpusnap.node.engine.device.TargetPort;
import io.gpusnap.node.operation.OnRestart;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;

/** Fresh physical memory at the addresses of old. */
final class ThawRemap extends EngineStage {

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
        TargetPort target = session.target(context);
        if (target.status().state() == TargetState.RELEASED) {
            Rescue.remap(target);
        }
    }
}
