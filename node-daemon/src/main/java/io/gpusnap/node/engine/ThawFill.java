package io.gpusnap.node.engine;

import io.gpusnap.gpu.GpuException;
import io.gpusnap.node.engine.device.Arrival;
import io.gpusnap.node.engine.device.DeviceContent;
import io.gpusnap.node.engine.device.DeviceFill;
import io.gpusnap.node.engine.device.FillOutcome;
import io.gpusnap.node.engine.device.TargetPort;
import io.gpusnap.node.operation.OnRestart;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.tier.TierException;
import java.util.Set;

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
        session.renewClaim(context);
        DeviceContent content = DeviceContent.of(session.manifest().device());
        context.progress().setTotalBytes(content.sizeBytes());
        TargetPort target = session.target(context);
        FillOutcome before = FillOutcome.NOTHING;
        Set<Long> taken = Set.of();
        if (session.ahead().isPresent()) {
            ThawAhead ahead = session.ahead().get();
            before = ahead.filled(context);
            taken = ahead.taken(target.allocations());
        }
        context.checkCancelled(); // there may be nothing left to fill, and after this stage is no way back
        FillOutcome rest = taken.size() == content.allocations().size()
                ? FillOutcome.NOTHING
                : fill(context, target, content, taken);
        session.fillBytesPerSecond(before.plus(rest).bytesPerSecond());
    }

    /** @param taken allocations that have their content */
    private FillOutcome fill(StageContext context, TargetPort target, DeviceContent content, Set<Long> taken)
            throws StageException, GpuException, TierException, InterruptedException {
        NodeRuntime runtime = session.runtime();
        boolean filled = false;
        try (Arrival arrival = Arrival.prepare(target, allocation -> !taken.contains(allocation.id()))) {
            FillOutcome all = new DeviceFill(
                            runtime.requireGpu(),
                            runtime.store().memory(),
                            session.sources(),
                            session.owner(),
                            session.loaded(),
                            runtime.direct().used())
                    .fill(content.without(taken), arrival.start(), runtime.transfer(context));
            filled = true;
            return all;
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
