package io.gpusnap.node.transfer;

import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.TreeDigester;
import io.gpusnap.node.tier.ChunkTier.ReadFrom;
import io.gpusnap.node.tier.NvmeTier;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import java.lang.foreign.MemorySegment;

/** Reads chunks and believes none: size, then digest. A chunk that fails is put in quarantine. One object a thread. */
final class VerifiedReader {

    private final NvmeTier nvme;
    private final TreeDigester digester = new TreeDigester();

    VerifiedReader(NvmeTier nvme) {
        this.nvme = nvme;
    }

    /**
     * @param buffer a whole slot or a {@link Transfer#buffer()}
     * @throws TierException MISSING, CORRUPT, IO
     */
    void read(ChunkRef chunk, MemorySegment buffer, ReadFrom from) throws TierException {
        ChunkDigest digest = new ChunkDigest(chunk.digest());
        try {
            nvme.read(digest, chunk.sizeBytes(), buffer, from);
            ChunkRef found = digester.digest(buffer.asSlice(0, chunk.sizeBytes()));
            if (!found.equals(chunk)) {
                throw new TierException(
                        Reason.CORRUPT, "chunk %s has content of digest %s".formatted(digest, found.digest()));
            }
        } catch (TierException e) {
            if (e.reason() == Reason.CORRUPT) {
                quarantine(digest, e);
            }
            throw e;
        }
    }

    private void quarantine(ChunkDigest digest, TierException cause) {
        try {
            nvme.quarantine(digest);
        } catch (TierException e) {
            cause.addSuppressed(e);
        }
    }
}
