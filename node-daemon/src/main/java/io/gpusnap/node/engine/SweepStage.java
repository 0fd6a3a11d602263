package io.gpusnap.node.engine;

import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.pack.PackTier;
import io.gpusnap.node.tier.pack.SharedObject;
import io.gpusnap.node.tier.pack.StoreSweep;
import java.util.List;

/** Does to a shared store what the service has decided, and nothing else. */
final class SweepStage extends SharedStoreStage {

    private final NodeRuntime runtime;
    private final SweepRequest request;

    SweepStage(NodeRuntime runtime, SweepRequest request) {
        super("sweep", new StageTimes());
        this.runtime = runtime;
        this.request = request;
    }

    @Override
    void execute(StageContext context) throws StageException, TierException {
        PackTier tier = runtime.tiers().shared(request.tier());
        StoreSweep sweep = tier.sweep();
        if (!sweep.isOf(request.service())) {
            throw new StageException(
                    FailureCode.CONFLICT,
                    "tier %s is swept for another service than %s".formatted(tier.name(), request.service()));
        }
        long deleted;
        try {
            deleted = sweep.delete(request.delete(), context::checkCancelled);
        } catch (IllegalArgumentException e) {
            throw new StageException(FailureCode.INTERNAL, "nothing was deleted: " + e.getMessage(), e);
        }
        int aborted = sweep.removeUnfinished(request.abortUploadsAfter());
        // One more, to know whether there is more.
        List<SharedObject> after = sweep.listAfter(request.listAfter(), Math.addExact(request.listLimit(), 1));
        boolean complete = after.size() <= request.listLimit();
        context.remember(
                new SweepOutcome(deleted, aborted, complete ? after : after.subList(0, request.listLimit()), complete));
    }
}
