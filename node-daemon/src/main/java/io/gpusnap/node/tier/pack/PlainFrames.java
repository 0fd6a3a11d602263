package io.gpusnap.node.tier.pack;

import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import java.lang.foreign.MemorySegment;

/** Neither compresses nor encrypts. */
final class PlainFrames implements Frames {

    static final PlainFrames INSTANCE = new PlainFrames();

    private PlainFrames() {}

    @Override
    public String scope() {
        return "";
    }

    @Override
    public Written write(ChunkDigest digest, MemorySegment content, MemorySegment target) {
        MemorySegment.copy(content, 0, target, 0, content.byteSize());
        return new Written((int) content.byteSize(), PLAIN);
    }

    @Override
    public void read(ChunkDigest digest, int codec, String scope, MemorySegment frame, MemorySegment target)
            throws TierException {
        if (codec != PLAIN) {
            throw new TierException(
                    Reason.IO, "chunk " + digest + " is encrypted, and this node has no keys (tiers.keys)");
        }
        if (frame.byteSize() != target.byteSize()) {
            throw new TierException(
                    Reason.CORRUPT,
                    "chunk %s has %d bytes, not %d".formatted(digest, frame.byteSize(), target.byteSize()));
        }
        target.copyFrom(frame);
    }
}
