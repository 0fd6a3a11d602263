package io.gpusnap.node.tier.pack;

import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import io.gpusnap.node.tier.blob.BlobKey;
import io.gpusnap.node.tier.blob.BlobStore;
import io.gpusnap.node.tier.blob.BlobStore.IfThere;
import java.lang.foreign.MemorySegment;
import java.util.UUID;

/**
 * Brings packs into the store. First the pack, which nobody looks for yet; then it is read back and compared; then its index,
 * which is the proof that this was done: a chunk is in the store from then on.
 */
final class PackPublisher {

    private final BlobStore store;

    PackPublisher(BlobStore store) {
        this.store = store;
    }

    /**
     * @param copy an interrupted one of the same id finds what it had finished
     * @return the pack as the catalogue takes it
     * @throws TierException CORRUPT when the store does not give back what it was given
     */
    PackTable.Pack publish(PackBuffer buffer, UUID copy) throws TierException {
        byte[] index = buffer.index(copy);
        ChunkDigest id = PackTable.idOf(index);
        putProven(BlobKey.pack(id), buffer.content());
        putProven(BlobKey.index(id), MemorySegment.ofArray(index));
        PackTable.Pack self = PackTable.decode(index, "an index").packs().getFirst();
        return new PackTable.Pack(id, self.sizeBytes(), self.scope(), self.entries());
    }

    /** Stores an object and reads it back. What an earlier run left there is not believed either. */
    void putProven(BlobKey key, MemorySegment content) throws TierException {
        boolean fresh = store.put(key, content, IfThere.KEEP);
        if (store.holds(key, content)) {
            return;
        }
        if (!fresh) {
            store.put(key, content, IfThere.REPLACE);
            if (store.holds(key, content)) {
                return;
            }
        }
        store.delete(key);
        throw new TierException(Reason.CORRUPT, store.location() + " does not give back what it was given as " + key);
    }
}
