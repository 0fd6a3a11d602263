package io.gpusnap.node.tier.pack;

import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.TreeDigester;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.blob.BlobKey;
import io.gpusnap.node.tier.blob.BlobStore;
import java.lang.foreign.MemorySegment;
import java.util.UUID;

/** Writes a pack again with fewer chunks. The new one is there before the old one goes, and of that the index goes first. */
final class Repacking {

    private final PackTier tier;
    private final BlobStore store;
    private final Frames frames;
    private final TreeDigester digester = new TreeDigester();

    Repacking(PackTier tier, BlobStore store, Frames frames) {
        this.tier = tier;
        this.store = store;
        this.frames = frames;
    }

    void without(ChunkDigest chunk, PackTable.Pack pack, UUID copy) throws TierException {
        PackReader reader = new PackReader(store, frames);
        long most = pack.sizeBytes() + (long) pack.entries().size() * PackEntry.MOST_OVERHEAD_BYTES + 1;
        try (PackBuffer buffer = new PackBuffer(most, () -> frames)) {
            for (PackEntry entry : pack.entries()) {
                if (!entry.digest().equals(chunk)) {
                    move(reader, pack, entry, buffer);
                }
            }
            if (!buffer.isEmpty()) {
                tier.publish(buffer, copy);
            }
        }
        store.delete(BlobKey.index(pack.id()));
        store.delete(BlobKey.pack(pack.id()));
    }

    /** What is not what its name says stays behind. */
    private void move(PackReader reader, PackTable.Pack pack, PackEntry entry, PackBuffer target) throws TierException {
        MemorySegment content = MemorySegment.ofArray(new byte[entry.sizeBytes()]);
        reader.read(new Catalogue.Place(pack, entry), entry.sizeBytes(), content);
        if (digester.digest(content).equals(ChunkRef.of(entry.digest(), entry.sizeBytes()))) {
            target.add(entry.digest(), content);
        }
    }
}
