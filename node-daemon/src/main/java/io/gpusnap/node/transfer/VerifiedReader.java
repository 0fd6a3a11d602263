package io.gpusnap.node.transfer;

import io.gpusnap.node.snapshot.ChunkSources;
import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.TreeDigester;
import io.gpusnap.node.tier.ChunkTier;
import io.gpusnap.node.tier.ChunkTier.ReadFrom;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import io.gpusnap.node.tier.pack.PackTier;
import java.lang.foreign.MemorySegment;

/**
 * Reads chunks and believes none: size, then digest. A chunk that fails is put in quarantine where it was found, and the next
 * source is asked. One object a thread.
 */
final class VerifiedReader {

    private final ChunkSources sources;
    private final TreeDigester digester = new TreeDigester();

    VerifiedReader(ChunkSources sources) {
        this.sources = sources;
    }

    /**
     * @param buffer a whole slot or a {@link Transfer#buffer()}
     * @throws TierException MISSING, CORRUPT, IO, UNAVAILABLE: of the first source, unless a later one has worse to tell than
     *     that it lacks the chunk
     */
    void read(ChunkRef chunk, MemorySegment buffer, ReadFrom from) throws TierException {
        ChunkDigest digest = new ChunkDigest(chunk.digest());
        TierException failure;
        try {
            readFrom(sources.nvme(), chunk, digest, buffer, from);
            return;
        } catch (TierException e) {
            if (e.reason() == Reason.CORRUPT) {
                sources.damage().found(ChunkSources.NVME, String.valueOf(e.getMessage()));
                quarantine(digest, e);
            }
            failure = e;
        }
        for (PackTier tier : sources.shared()) {
            try {
                readFrom(tier, chunk, digest, buffer, from);
                return;
            } catch (TierException e) {
                if (e.reason() == Reason.CORRUPT) {
                    sources.damage().found(tier.name(), String.valueOf(e.getMessage()));
                    tier.quarantine(digest);
                }
                failure = worse(failure, e);
            }
        }
        throw failure;
    }

    private static TierException worse(TierException first, TierException next) {
        if (first.reason() == Reason.MISSING && next.reason() != Reason.MISSING) {
            next.addSuppressed(first);
            return next;
        }
        first.addSuppressed(next);
        return first;
    }

    private void readFrom(ChunkTier tier, ChunkRef chunk, ChunkDigest digest, MemorySegment buffer, ReadFrom from)
            throws TierException {
        tier.read(digest, chunk.sizeBytes(), buffer, from);
        ChunkRef found = digester.digest(buffer.asSlice(0, chunk.sizeBytes()));
        if (!found.equals(chunk)) {
            throw new TierException(
                    Reason.CORRUPT, "chunk %s has content of digest %s".formatted(digest, found.digest()));
        }
    }

    private void quarantine(ChunkDigest digest, TierException cause) {
        try {
            sources.nvme().quarantine(digest);
        } catch (TierException e) {
            cause.addSuppressed(e);
        }
    }
}
