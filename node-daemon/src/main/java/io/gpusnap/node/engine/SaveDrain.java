package io.gpusnap.node.engine;

import io.gpusnap.gpu.Allocation;
import io.gpusnap.gpu.GpuException;
import io.gpusnap.node.engine.device.Arrival;
import io.gpusnap.node.engine.device.DeviceDrain;
import io.gpusnap.node.engine.device.TargetPort;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.tier.TierException;
import java.util.BitSet;
import java.util.List;
import java.util.Map;

/** Device memory is copied into the pinned pool; where it is, is durable before the next stage lets it go. */
final class SaveDrain extends EngineStage {

    private final SaveSession session;
    private final boolean hold;

    /** @param hold whether the workload goes on after it was dumped: the memory waits for it, as it is */
    SaveDrain(SaveSession session, boolean hold) {
        super("drain", session.times());
        this.session = session;
        this.hold = hold;
    }

    @Override
    void execute(StageContext context) throws StageException, GpuException, TierException, InterruptedException {
        NodeRuntime runtime = session.runtime();
        TargetPort target = session.target(context);
        if (hold) {
            session.hold(target.hold());
        }
        Arrival arrival = Arrival.prepare(target);
        List<Allocation> allocations = arrival.allocations();
        context.progress()
                .setTotalBytes(
                        allocations.stream().mapToLong(Allocation::sizeBytes).sum());
        DeviceDrain drain =
                new DeviceDrain(runtime.requireGpu(), runtime.store().memory(), session.pins(), session.owner());
        Map<Long, BitSet> rebuildable = runtime.settings().rebuildable().chunks(allocations, target.hints());
        DeviceDrain.Drained drained;
        try (arrival) {
            drained = drain.drain(arrival.start(), rebuildable, context::remember, runtime.transfer(context));
        }
        session.reused(drained.reused());
        runtime.store().nvme().sync();
        context.remember(new DrainedBytes(drained.movedBytes(), drained.rebuildableBytes()));
    }
}
