package io.gpusnap.node.tier.pack;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdException;
import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import io.gpusnap.node.tier.key.DataKey;
import io.gpusnap.node.tier.key.TenantKeys;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Compresses chunks that shrink by it, then encrypts. Whether one shrinks a sample of it tells: weights do not, and are not tried
 * as a whole.
 */
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

    private static final int LEVEL = 1;
    private static final int SAMPLE_BYTES = 64 << 10;
    /** Of its size: less gain is not worth the time at the other end. */
    private static final double WORTH = 0.9;

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
        MemorySegment smaller = settings.compress() ? compressed(content) : content;
        int codec = smaller.byteSize() < content.byteSize() ? ZSTD : PLAIN;
        if (settings.keys().isEmpty()) {
            MemorySegment.copy(smaller, 0, target, 0, smaller.byteSize());
            return new Written((int) smaller.byteSize(), codec);
        }
        codec |= SEALED;
        DataKey key = writing(settings.keys().get());
        long sealedBytes = smaller.byteSize() + DataKey.OVERHEAD_BYTES;
        key.seal(
                digest,
                codec,
                smaller.asByteBuffer(),
                target.asSlice(0, sealedBytes).asByteBuffer());
        return new Written((int) sealedBytes, codec);
    }

    /** The content itself when it does not shrink. */
    private static MemorySegment compressed(MemorySegment content) {
        byte[] sample =
                content.asSlice(0, Math.min(SAMPLE_BYTES, content.byteSize())).toArray(ValueLayout.JAVA_BYTE);
        if (Zstd.compress(sample, LEVEL).length > WORTH * sample.length) {
            return content;
        }
        byte[] whole = Zstd.compress(content.toArray(ValueLayout.JAVA_BYTE), LEVEL);
        return whole.length > WORTH * content.byteSize() ? content : MemorySegment.ofArray(whole);
    }

    @Override
    public void read(ChunkDigest digest, int codec, String scope, MemorySegment frame, MemorySegment target)
            throws TierException {
        MemorySegment opened = frame;
        if ((codec & SEALED) != 0) {
            opened = open(digest, codec, scope, frame);
        }
        if ((codec & ZSTD) != 0) {
            expand(digest, opened, target);
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

    /** Never writes more than the chunk has, whatever the frame says of itself. */
    private static void expand(ChunkDigest digest, MemorySegment frame, MemorySegment target) throws TierException {
        byte[] whole = new byte[(int) target.byteSize()];
        byte[] source = frame.toArray(ValueLayout.JAVA_BYTE);
        try {
            long found = Zstd.decompressByteArray(whole, 0, whole.length, source, 0, source.length);
            if (found != whole.length) {
                throw new TierException(
                        Reason.CORRUPT, "chunk %s expands to %d bytes, not %d".formatted(digest, found, whole.length));
            }
        } catch (ZstdException e) {
            throw new TierException(Reason.CORRUPT, "chunk " + digest + " does not expand: " + e.getMessage(), e);
        }
        target.copyFrom(MemorySegment.ofArray(whole));
    }
}
