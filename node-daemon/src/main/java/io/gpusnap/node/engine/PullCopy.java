package io.gpusnap.node.engine;

import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.snapshot.SnapshotStore;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.transfer.ChunkVerifier;
import io.gpusnap.node.transfer.SnapshotPull;
import io.gpusnap.node.transfer.Traffic;
import io.gpusnap.node.transfer.Transfer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What this node lacks of the chunks is here, verified as it came and read back from the medium. */
final class PullCopy extends SharedStoreStage {

    private final TransferSession session;

    PullCopy(TransferSession session) {
        super("copy", session.times());
        this.session = session;
    }

    @Override
    void execute(StageContext context) throws StageException, TierException, ManifestException, InterruptedException {
        NodeRuntime runtime = session.runtime();
        SnapshotStore store = runtime.store();
        if (store.list().contains(session.request().snapshot())) {
            // A damaged copy is no success: it is told of, and its removal makes room for another.
            store.manifest(session.request().snapshot(), session.sources().damage());
            context.remember(TransferMoved.none().withCopyBytes(copyBytes()));
            return;
        }
        List<ChunkRef> chunks = session.chunks();
        // Keeps what is here and what is brought from being swept, over this daemon's death as well.
        store.writePending(session.request().snapshot(), session.manifest());
        SnapshotPull pull = new SnapshotPull(store, session.sources(), session.pins());
        List<ChunkRef> bringing = new ArrayList<>(pull.lacking(chunks));
        List<ChunkRef> unproven = ChunkVerifier.unproven(chunks, bringing, store);
        Transfer transfer = runtime.transfer(context);
        context.progress()
                .setTotalBytes(ChunkVerifier.distinctBytes(unproven) + 2 * ChunkVerifier.distinctBytes(bringing));
        bringing.addAll(pull.damaged(unproven, transfer));
        context.progress()
                .setTotalBytes(ChunkVerifier.distinctBytes(unproven) + 2 * ChunkVerifier.distinctBytes(bringing));
        long storedBefore = session.pins().storedBytes();
        try (Traffic.Share share = session.share()) {
            pull.bring(bringing, transfer, share);
        }
        context.remember(context.recall(TransferMoved.class)
                .orElse(TransferMoved.none())
                .plus(ChunkVerifier.distinctBytes(bringing), session.pins().storedBytes() - storedBefore)
                .withCopyBytes(copyBytes()));
    }

    private @Nullable Long copyBytes() throws StageException, TierException, ManifestException {
        return ChunkVerifier.storedBytes(
                        session.chunks(), session.runtime().store().nvme())
                .orElse(null);
    }

    @Override
    void ended(StageContext context) {
        session.rememberDamage(context);
    }

    /** What it brought goes, as far as nobody else names it. */
    @Override
    void undo(StageContext context) throws TierException, ManifestException {
        session.runtime().store().abandon(session.request().snapshot(), session.pins());
    }
}
