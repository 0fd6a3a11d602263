package io.gpusnap.node.engine;

import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.OnRestart;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.snapshot.SnapshotStore;
import io.gpusnap.node.snapshot.SnapshotUses;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.Manifest;
import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.tier.ChunkTier.ReadFrom;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.transfer.ChunkVerifier;
import java.util.List;
import java.util.Optional;

/** Reads every chunk of a snapshot from the medium. */
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
    void execute(StageContext context) throws StageException, TierException, ManifestException, InterruptedException {
        SnapshotStore store = runtime.store();
        SnapshotUses.Use use = store.use(snapshot)
                .orElseThrow(() ->
                        new StageException(FailureCode.CHUNK_MISSING, "snapshot " + snapshot + " is being deleted"));
        try (use) {
            Manifest manifest = Snapshots.read(store, snapshot, Optional.empty());
            List<ChunkRef> chunks = ChunkVerifier.distinct(manifest.chunks().toList());
            long sizeBytes = ChunkVerifier.distinctBytes(chunks);
            context.progress().setTotalBytes(sizeBytes);
            ChunkVerifier.verify(chunks, store.nvme(), chunk -> ReadFrom.MEDIUM, runtime.transfer(context));
            String digest = store.read(snapshot).digest();
            context.remember(new VerifyOutcome(snapshot, digest, chunks.size(), sizeBytes));
        }
    }
}
