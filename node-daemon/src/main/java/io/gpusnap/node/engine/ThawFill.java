package io.gpusnap.node.engine;

import io.gpusnap.gpu.GpuException;
import io.gpusnap.node.engine.device.Arrival;
import io.gpusnap.node.engine.device.DeviceContent;
import io.gpusnap.node.engine.device.DeviceFill;
import io.gpusnap.node.engine.device.TargetPort;
import io.gpusnap.node.operation.OnRestart;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.tier.TierException;

/** Device memory has its content again. It stays mapped here until the gate is open: letting go of it takes time as well. */
final class ThawFill extends EngineStage {

    private final ThawSession session;

    ThawFill(ThawSession session) {
        super("fill", session.times());
        this.session = session;
    }

    @Override
    public OnRestart onRestart() {
        return session.onRestart();
    }

    @Override
    void execute(StageContext context)
            throws StageException, GpuException, TierException, ManifestException, InterruptedException {
        NodeRuntime runtime = session.runtime();
        session.renewClaim(context);
        DeviceContent content = DeviceContent.of(session.manifest().device());
        context.progress().setTotalBytes(content.sizeBytes());
        TargetPort target = session.target(context);
        boolean filled = false;
        long start = System.nanoTime();
        try (Arrival arrival = Arrival.prepare(target)) {
            long copiedBytes = new DeviceFill(
                            runtime.requireGpu(),
                            runtime.store().memory(),
                            session.sources(),
                            session.owner(),
                            session.loaded(),
                            runtime.direct().used())
                    .fill(content, arrival.start(), runtime.transfer(context));
            double seconds = (System.nanoTime() - start) / 1e9;
            session.fillBytesPerSecond(copiedBytes / Math.max(seconds, 1e-9));
            filled = true;
        } finally {
            if (!filled) {
                target.unimportMemory();
            }
        }
    }

    @Override
    void ended(StageContext context) {
        session.rememberDamage(context);
    }
}
