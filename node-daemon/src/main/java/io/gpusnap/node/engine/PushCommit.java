package io.gpusnap.node.engine;

import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.pack.SharedObject;
import io.gpusnap.node.transfer.SnapshotPush;
import java.util.List;

/** The snapshot exists in the shared store. */
final class PushCommit extends SharedStoreStage {

    private final TransferSession session;

    PushCommit(TransferSession session) {
        super("commit", session.times());
        this.session = session;
    }

    @Override
    void execute(StageContext context) throws StageException, TierException, ManifestException {
        NodeRuntime runtime = session.runtime();
        List<SharedObject> objects = new SnapshotPush(
                        runtime.tiers().shared(session.request().to()),
                        runtime.store().sources(),
                        TransferSession.copy(context))
                .manifest(session.request().snapshot(), session.manifest(), session.chunks());
        long own = objects.stream()
                .filter(object -> object.name().startsWith("snapshots/"))
                .mapToLong(SharedObject::sizeBytes)
                .sum();
        TransferMoved moved = SaveSession.recall(context, TransferMoved.class);
        context.remember(new TransferOutcome(
                session.request().snapshot(),
                session.request().to().name(),
                moved.movedBytes(),
                moved.storedBytes() + own,
                TransferSession.seconds(context),
                objects));
    }
}
