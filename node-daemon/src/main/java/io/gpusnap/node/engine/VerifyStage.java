package io.gpusnap.node.engine;

import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.OnRestart;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.snapshot.Damage;
import io.gpusnap.node.snapshot.ReadManifest;
import io.gpusnap.node.snapshot.SnapshotStore;
import io.gpusnap.node.snapshot.SnapshotUses;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.ManifestDigest;
import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.store.ManifestJson;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import io.gpusnap.node.tier.pack.PackTier;
import io.gpusnap.node.transfer.ChunkVerifier;
import io.gpusnap.node.transfer.Scrub;
import io.gpusnap.node.transfer.Traffic;
import java.util.List;
import java.util.Optional;

/**
 * Reads every chunk of a snapshot from the medium: of the node's own store, or where that does not have the snapshot, of the first
 * shared one that has it right.
 */
final class VerifyStage extends EngineStage {

    private final NodeRuntime runtime;
    private final SnapshotId snapshot;

    VerifyStage(NodeRuntime runtime, SnapshotId snapshot) {
        super("verify", new StageTimes());
        this.runtime = runtime;
        this.snapshot = snapshot;
    }

    @Override
    public OnRestart onRestart() {
        return OnRestart.RERUN;
    }

    @Override
    public boolean interruptible() {
        return true;
    }

    @Override
    void execute(StageContext context) throws StageException, TierException, ManifestException, InterruptedException {
        SnapshotStore store = runtime.store();
        SnapshotUses.Use use = store.use(snapshot)
                .orElseThrow(() ->
                        new StageException(FailureCode.CHUNK_MISSING, "snapshot " + snapshot + " is being deleted"));
        try (use) {
            if (store.list().contains(snapshot)) {
                ReadManifest own = read(store.manifest(snapshot));
                List<ChunkRef> chunks = begin(own, context);
                ChunkVerifier.verify(chunks, store.nvme(), runtime.transfer(context));
                verified(own, chunks, context);
            } else {
                verifyShared(context);
            }
        }
    }

    private void verifyShared(StageContext context)
            throws StageException, TierException, ManifestException, InterruptedException {
        Damage damage = new Damage();
        TierException failure = new TierException(
                Reason.MISSING, "snapshot " + snapshot + " is neither in this node's store nor in one that it shares");
        try {
            for (PackTier tier : runtime.store().sources().shared()) {
                try {
                    verifyIn(tier, context);
                    return;
                } catch (TierException e) {
                    if (e.reason() == Reason.CORRUPT) {
                        damage.found(tier.name(), String.valueOf(e.getMessage()));
                    }
                    failure = failure.reason() == Reason.MISSING ? e : failure;
                }
            }
        } finally {
            runtime.tiers().remember(snapshot, damage, context);
        }
        throw failure;
    }

    private void verifyIn(PackTier tier, StageContext context)
            throws TierException, ManifestException, InterruptedException {
        ReadManifest read = read(tier.manifest(snapshot, found -> true));
        List<ChunkRef> chunks = begin(read, context);
        // A thaw of this node goes before it; copies between tiers do not, as somebody asked for it.
        try (Traffic.Share share = runtime.traffic().share(Traffic.Priority.URGENT, 0)) {
            new Scrub(runtime.store().nvme(), Optional.of(tier), runtime.transfer(context), share).read(chunks);
        }
        verified(read, chunks, context);
    }

    private static ReadManifest read(byte[] manifest) throws ManifestException {
        return new ReadManifest(
                ManifestJson.read(manifest), ManifestDigest.of(manifest).hex());
    }

    private static List<ChunkRef> begin(ReadManifest read, StageContext context) {
        List<ChunkRef> chunks = ChunkVerifier.distinct(read.manifest().chunks().toList());
        context.progress().setTotalBytes(ChunkVerifier.distinctBytes(chunks));
        return chunks;
    }

    private void verified(ReadManifest read, List<ChunkRef> chunks, StageContext context) {
        context.remember(
                new VerifyOutcome(snapshot, read.digest(), chunks.size(), ChunkVerifier.distinctBytes(chunks)));
    }
}
