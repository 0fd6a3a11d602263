package io.gpusnap.node.engine;

import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.OnRestart;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.snapshot.SnapshotStore;
import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierKind;
import java.io.IOException;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/** A snapshot leaves a tier of this node's own. One that is not there is no failure. */
final class EvictStage extends EngineStage {

    private final NodeRuntime runtime;
    private final SnapshotId snapshot;
    private final TierRef tier;

    EvictStage(NodeRuntime runtime, SnapshotId snapshot, TierRef tier) {
        super("evict", new StageTimes());
        this.runtime = runtime;
        this.snapshot = snapshot;
        this.tier = tier;
    }

    @Override
    public OnRestart onRestart() {
        return OnRestart.RERUN;
    }

    @Override
    void execute(StageContext context) throws StageException, TierException, ManifestException, IOException {
        TierKind kind = runtime.tiers().kind(tier);
        context.checkCancelled();
        switch (kind) {
            case MEMORY -> context.remember(new EvictOutcome(fromPool()));
            case NVME -> {
                DeleteStage.requireNotFrozen(runtime, snapshot);
                context.remember(new EvictOutcome(DeleteStage.delete(runtime, snapshot)));
            }
            case NFS, S3 ->
                throw new StageException(
                        FailureCode.TIER_MISMATCH,
                        "tier %s is shared: objects leave it by a sweep".formatted(tier.name()));
        }
    }

    /** Chunks that another snapshot of this node names stay; so do those that somebody has leased, until he lets go. */
    private long fromPool() throws TierException, ManifestException {
        SnapshotStore store = runtime.store();
        Set<ChunkRef> chunks = new HashSet<>();
        try {
            Snapshots.manifest(store, snapshot).chunks().forEach(chunks::add);
        } catch (TierException e) {
            if (e.reason() == TierException.Reason.MISSING) {
                return 0;
            }
            throw e;
        }
        Set<ChunkDigest> others = namedByOthers(store);
        long freed = 0;
        for (ChunkRef chunk : chunks) {
            Optional<ChunkDigest> digest = chunk.content().filter(one -> !others.contains(one));
            if (digest.isPresent() && store.memory().delete(digest.get())) {
                freed += chunk.sizeBytes();
            }
        }
        return freed;
    }

    /** One that is damaged wherever it is names nothing: what it loses is in the store below, and only read more slowly. */
    private Set<ChunkDigest> namedByOthers(SnapshotStore store) throws TierException, ManifestException {
        Set<ChunkDigest> others = new HashSet<>();
        for (SnapshotId other : store.list()) {
            if (other.equals(snapshot)) {
                continue;
            }
            try {
                Snapshots.manifest(store, other)
                        .chunks()
                        .map(ChunkRef::content)
                        .flatMap(Optional::stream)
                        .forEach(others::add);
            } catch (TierException e) {
                if (e.reason() != TierException.Reason.CORRUPT) {
                    throw e;
                }
            }
        }
        return others;
    }
}
