package io.gpusnap.node.tier;

import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.tier.TierException.Reason;
import io.gpusnap.node.tier.key.DataKey;
import io.gpusnap.node.tier.key.TenantKeys;
import io.gpusnap.node.tier.pack.Frames;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * How a chunk lies encrypted in a file of the node's own store: the frame that shared stores have, then the number of the key that made
 * it. Thread-safe.
 */
final class ChunkSealing {

    static final int NUMBER_BYTES = 4;
    /** What it is longer by than what was encrypted. */
    static final int OVERHEAD_BYTES = DataKey.OVERHEAD_BYTES + NUMBER_BYTES;

    private static final ValueLayout.OfInt NUMBER = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final TenantKeys keys;
    private final StoreRoot root;
    private final TenantKeys.Sealed sealed;
    /** Nobody makes a newer one while a daemon has the store. */
    private volatile @Nullable DataKey writing;

    ChunkSealing(TenantKeys keys, StoreRoot root, TenantKeys.Sealed sealed) {
        this.keys = keys;
        this.root = root;
        this.sealed = sealed;
    }

    TenantKeys keys() {
        return keys;
    }

    /**
     * @param codec bits of {@link Frames}, of how the content was made
     * @return the part of the buffer that was written
     */
    MemorySegment seal(ChunkDigest digest, int codec, MemorySegment content, MemorySegment buffer)
            throws TierException {
        DataKey key = writing();
        MemorySegment file = buffer.asSlice(0, content.byteSize() + OVERHEAD_BYTES);
        MemorySegment frame = file.asSlice(0, content.byteSize() + DataKey.OVERHEAD_BYTES);
        key.seal(digest, codec | Frames.SEALED, content.asByteBuffer(), frame.asByteBuffer());
        file.set(NUMBER, frame.byteSize(), key.number());
        return file;
    }

    private DataKey writing() throws TierException {
        DataKey key = writing;
        return key == null ? requireKey() : key;
    }

    /** As {@link TenantKeys#current}: what encrypts from now on, and lies in the store. */
    DataKey requireKey() throws TierException {
        DataKey key = keys.current(storeId(), sealed);
        writing = key;
        return key;
    }

    /**
     * @param codec as it was sealed with
     * @param file exactly what was written
     * @param target shorter by {@link #OVERHEAD_BYTES}
     * @throws TierException CORRUPT when it does not open; IO when there is no such key
     */
    void open(ChunkDigest digest, int codec, MemorySegment file, MemorySegment target) throws TierException {
        MemorySegment frame = file.asSlice(0, file.byteSize() - NUMBER_BYTES);
        int number = file.get(NUMBER, frame.byteSize());
        if (!keys.has(number)) {
            // Without any key it is not the chunk that is wrong.
            throw new TierException(
                    keys.has(0) ? Reason.CORRUPT : Reason.IO,
                    "chunk %s names data key %d, which is not in %s".formatted(digest, number, root.keys()));
        }
        keys.of(number, storeId()).open(digest, codec | Frames.SEALED, frame.asByteBuffer(), target.asByteBuffer());
    }

    private UUID storeId() throws TierException {
        return root.storeId();
    }
}
