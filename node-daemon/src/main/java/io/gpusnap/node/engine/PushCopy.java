package io.gpusnap.node.engine;

import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.transfer.SnapshotPush;
import io.gpusnap.node.transfer.Traffic;

/** What the shared store lacks of the chunks is there, each pack read back. What a failed one has brought is garbage, or reused. */
final class PushCopy extends SharedStoreStage {

    private final TransferSession session;

    PushCopy(TransferSession session) {
        super("copy", session.times());
        this.session = session;
    }

    @Override
    void execute(StageContext context) throws StageException, TierException, ManifestException, InterruptedException {
        NodeRuntime runtime = session.runtime();
        SnapshotPush push = new SnapshotPush(
                runtime.tiers().shared(session.request().to()), session.sources(), TransferSession.copy(context));
        SnapshotPush.Copied copied;
        try (Traffic.Share share = session.share()) {
            copied = push.chunks(
                    session.chunks(),
                    runtime.transfer(context),
                    share,
                    total -> context.progress().setTotalBytes(total));
        } finally {
            session.rememberDamage(context);
        }
        context.remember(context.recall(TransferMoved.class)
                .orElse(TransferMoved.none())
                .plus(copied.movedBytes(), copied.storedBytes()));
    }
}
