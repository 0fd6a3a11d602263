package io.gpusnap.node.engine;

import io.gpusnap.node.operation.OnRestart;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.snapshot.SnapshotStore;
import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.Manifest;
import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import io.gpusnap.node.transfer.ChunkVerifier;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Reads every chunk back before the snapshot may exist. Of a suspend, which cannot outlive its process and is taken at every
 * switch, only the new ones: those of other snapshots were read when they were new, and a resume verifies all.
 */
final class SaveVerify extends EngineStage {

    private final SaveSession session;
    private final EngineId engine;

    SaveVerify(SaveSession session, EngineId engine) {
        super("verify", session.times());
        this.session = session;
        this.engine = engine;
    }

    @Override
    public OnRestart onRestart() {
        return OnRestart.RERUN;
    }

    @Override
    void execute(StageContext context) throws StageException, TierException, ManifestException, InterruptedException {
        SnapshotStore store = session.runtime().store();
        Manifest manifest = store.readPending(session.snapshot()).manifest();
        List<ChunkRef> chunks = manifest.chunks().toList();
        Set<ChunkDigest> digests = new HashSet<>();
        chunks.stream().map(ChunkRef::content).flatMap(Optional::stream).forEach(digests::add);
        session.pins().pin(digests);
        if (engine.equals(EngineId.SUSPEND)) {
            chunks = notProven(chunks, store.committedChunks());
        }
        context.progress().setTotalBytes(ChunkVerifier.distinctBytes(chunks));
        ChunkVerifier.verify(chunks, store.nvme(), session.runtime().transfer(context));
    }

    /** @throws TierException MISSING when a proven one is not there */
    private List<ChunkRef> notProven(List<ChunkRef> chunks, Set<ChunkDigest> proven) throws TierException {
        List<ChunkRef> left = new ArrayList<>();
        for (ChunkRef chunk : ChunkVerifier.distinct(chunks)) {
            ChunkDigest digest = new ChunkDigest(chunk.digest());
            if (!proven.contains(digest)) {
                left.add(chunk);
            } else if (!session.runtime().store().nvme().contains(digest, chunk.sizeBytes())) {
                throw new TierException(Reason.MISSING, "chunk " + digest + " is not in the NVMe tier");
            }
        }
        return left;
    }
}
