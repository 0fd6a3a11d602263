package io.gpusnap.node.engine;

import io.gpusnap.node.operation.OnRestart;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.tier.TierException;
import java.util.List;

/** The snapshot exists in this node's store. */
final class PullCommit extends EngineStage {

    private final TransferSession session;

    PullCommit(TransferSession session) {
        super("commit", session.times());
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
    void execute(StageContext context) throws StageException, TierException, ManifestException {
        // Also of one that is there: a daemon that died in the middle of it left the pending manifest, which keeps
        // chunks for ever.
        session.runtime().store().commit(session.request().snapshot());
        TransferMoved moved = SaveSession.recall(context, TransferMoved.class);
        context.remember(new TransferOutcome(
                session.request().snapshot(),
                session.request().to().name(),
                moved.movedBytes(),
                moved.storedBytes(),
                TransferSession.seconds(context),
                List.of(),
                moved.copyBytes()));
    }
}
