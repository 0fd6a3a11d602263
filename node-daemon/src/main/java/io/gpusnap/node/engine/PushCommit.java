package io.gpusnap.node.engine;

import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import io.gpusnap.node.tier.pack.SharedObject;
import io.gpusnap.node.transfer.ChunkVerifier;
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
        List<SharedObject> objects = publish(context);
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
                objects,
                ChunkVerifier.storedBytes(
                                session.chunks(),
                                session.runtime()
                                        .tiers()
                                        .shared(session.request().to()))
                        .orElse(null)));
    }

    private List<SharedObject> publish(StageContext context) throws StageException, TierException, ManifestException {
        NodeRuntime runtime = session.runtime();
        SnapshotPush push = new SnapshotPush(
                runtime.tiers().shared(session.request().to()),
                runtime.store().sources(),
                TransferSession.copy(context));
        byte[] manifest = session.manifest();
        List<ChunkRef> chunks = session.chunks();
        try {
            return push.manifest(session.request().snapshot(), manifest, chunks);
        } catch (TierException e) {
            if (e.reason() != Reason.MISSING) {
                throw e;
            }
            // Not of the copy that was read: what the target had, or was given, is gone. The next push brings it.
            throw StageException.later(FailureCode.STORE_ERROR, String.valueOf(e.getMessage()), e);
        }
    }
}
