package io.gpusnap.node.engine;

import io.gpusnap.node.operation.OnRestart;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.tier.TierException;
import java.util.List;

/** The snapshot exists in this node's store. */
final class ImportCommit extends EngineStage {

    private final NodeRuntime runtime;
    private final ImportRequest request;

    ImportCommit(NodeRuntime runtime, ImportRequest request) {
        super("commit", new StageTimes());
        this.runtime = runtime;
        this.request = request;
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
    void execute(StageContext context) throws StageException, TierException {
        runtime.store().commit(request.snapshot());
        TransferMoved moved = SaveSession.recall(context, TransferMoved.class);
        long begun = SaveSession.recall(context, ImportBegun.class).uptimeNanos();
        context.remember(new TransferOutcome(
                request.snapshot(),
                Tiers.NVME,
                moved.movedBytes(),
                moved.storedBytes(),
                Math.max(0, System.nanoTime() - begun) / 1e9,
                List.of(),
                null));
    }
}
