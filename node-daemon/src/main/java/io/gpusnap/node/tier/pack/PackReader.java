package io.gpusnap.node.tier.pack;

import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import io.gpusnap.node.tier.blob.BlobKey;
import io.gpusnap.node.tier.blob.BlobStore;
import java.lang.foreign.MemorySegment;

/** Reads out of packs. Content is the caller's to verify. */
final class PackReader {

    private final BlobStore store;
    private final Frames frames;

    PackReader(BlobStore store, Frames frames) {
        this.store = store;
        this.frames = frames;
    }

    /** @throws TierException MISSING, CORRUPT (the pack's size), IO, UNAVAILABLE */
    void read(PackRun run, MemorySegment buffer) throws TierException {
        store.read(
                BlobKey.pack(run.pack().id()),
                run.pack().sizeBytes(),
                run.offset(),
                buffer.asSlice(0, run.sizeBytes()));
    }

    /**
     * @param frame the bytes of the entry
     * @param target of at least the chunk's size
     */
    void open(PackTable.Pack pack, PackEntry entry, MemorySegment frame, MemorySegment target) throws TierException {
        frames.read(entry.digest(), entry.codec(), pack.scope(), frame, target.asSlice(0, entry.sizeBytes()));
    }

    /** @throws TierException also CORRUPT when the chunk has another size */
    void read(Catalogue.Place place, int sizeBytes, MemorySegment target) throws TierException {
        PackEntry entry = place.entry();
        requireSize(entry.digest(), entry.sizeBytes(), sizeBytes);
        if (entry.codec() == Frames.PLAIN) {
            requireSize(entry.digest(), entry.frameBytes(), sizeBytes);
            store.read(
                    BlobKey.pack(place.pack().id()),
                    place.pack().sizeBytes(),
                    entry.offset(),
                    target.asSlice(0, sizeBytes));
            return;
        }
        MemorySegment frame = MemorySegment.ofArray(new byte[entry.frameBytes()]);
        store.read(BlobKey.pack(place.pack().id()), place.pack().sizeBytes(), entry.offset(), frame);
        open(place.pack(), entry, frame, target);
    }

    static void requireSize(ChunkDigest digest, int found, int expected) throws TierException {
        if (found != expected) {
            throw new TierException(Reason.CORRUPT, "chunk %s has %d bytes, not %d".formatted(digest, found, expected));
        }
    }
}
