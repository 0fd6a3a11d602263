package io.gpusnap.node.tier.pack;

import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import io.gpusnap.node.tier.key.DataKey;
import io.gpusnap.node.tier.key.TenantKeys;
import java.lang.foreign.MemorySegment;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Compresses chunks that shrink by it, then encrypts. */
final class SealingFrames implements Frames {

    /** The store's id, which is asked of the store when it is first needed. */
    @FunctionalInterface
    interface StoreIds {
        UUID get() throws TierException;
    }

    /** What encrypts now. */
    @FunctionalInterface
    interface Newest {
        DataKey of(TenantKeys keys) throws TierException;
    }

    private final FrameSettings settings;
    private final StoreIds storeId;
    private final Newest newest;
    /** All that one object writes is encrypted by one key. */
    private @Nullable DataKey writing;

    SealingFrames(FrameSettings settings, StoreIds storeId, Newest newest) {
        this.settings = settings;
        this.storeId = storeId;
        this.newest = newest;
    }

    @Override
    public String scope() {
        DataKey key = writing;
        return key == null ? settings.keys().map(TenantKeys::tenant).orElse("") : key.scope();
    }

    private DataKey writing(TenantKeys keys) throws TierException {
        DataKey key = writing;
        if (key == null) {
            key = newest.of(keys);
            writing = key;
        }
        return key;
    }

    @Override
    public Written write(ChunkDigest digest, MemorySegment content, MemorySegment target) throws TierException {
        return settings.compression().compress(content, (smaller, codec) -> write(digest, smaller, codec, target));
    }

    private Written write(ChunkDigest digest, MemorySegment smaller, int codec, MemorySegment target)
            throws TierException {
        if (settings.keys().isEmpty()) {
            MemorySegment.copy(smaller, 0, target, 0, smaller.byteSize());
            return new Written((int) smaller.byteSize(), codec);
        }
        int sealed = codec | SEALED;
        DataKey key = writing(settings.keys().get());
        long sealedBytes = smaller.byteSize() + DataKey.OVERHEAD_BYTES;
        key.seal(
                digest,
                sealed,
                smaller.asByteBuffer(),
                target.asSlice(0, sealedBytes).asByteBuffer());
        return new Written((int) sealedBytes, sealed);
    }

    @Override
    public void read(ChunkDigest digest, int codec, String scope, MemorySegment frame, MemorySegment target)
            throws TierException {
        if ((codec & ~KNOWN) != 0) {
            // Not corrupt: who knows the way may find it as good as ever.
            throw new TierException(
                    Reason.UNAVAILABLE,
                    "chunk %s was written in a way that this version does not know (%d)".formatted(digest, codec));
        }
        MemorySegment opened = frame;
        if ((codec & SEALED) != 0) {
            opened = open(digest, codec, scope, frame);
        }
        if ((codec & ZSTD) != 0) {
            Compression.expand(digest, codec, opened, target);
        } else {
            if (opened.byteSize() != target.byteSize()) {
                throw new TierException(Reason.CORRUPT, "chunk " + digest + " is of another size");
            }
            target.copyFrom(opened);
        }
    }

    private MemorySegment open(ChunkDigest digest, int codec, String scope, MemorySegment frame) throws TierException {
        TenantKeys keys = settings.keysOf(scope).orElseThrow(() -> settings.foreign(digest, scope));
        long openBytes = frame.byteSize() - DataKey.OVERHEAD_BYTES;
        if (openBytes < 1) {
            throw new TierException(Reason.CORRUPT, "sealed chunk " + digest + " is too short");
        }
        MemorySegment opened = MemorySegment.ofArray(new byte[(int) openBytes]);
        keys.of(scope, storeId.get()).open(digest, codec, frame.asByteBuffer(), opened.asByteBuffer());
        return opened;
    }
}
