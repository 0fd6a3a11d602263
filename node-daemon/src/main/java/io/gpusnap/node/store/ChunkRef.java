package io.gpusnap.node.store;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.Optional;

/**
 * One chunk as a manifest names it.
 *
 * @param digest 64 hex digits, or "zero" for a chunk of nothing but zero bytes, which is stored nowhere
 * @param sizeBytes 1 to 4 MiB
 */
public record ChunkRef(String digest, int sizeBytes) {

    private static final String ZERO = "zero";

    @JsonCreator
    public ChunkRef(
            @JsonProperty(value = "digest", required = true) String digest,
            @JsonProperty(value = "sizeBytes", required = true) int sizeBytes) {
        if (sizeBytes < 1 || sizeBytes > TreeDigester.MAX_CHUNK_BYTES) {
            throw new IllegalArgumentException("a chunk has 1 byte to 4 MiB, not " + sizeBytes);
        }
        this.digest = digest.equals(ZERO) ? ZERO : new ChunkDigest(digest).hex();
        this.sizeBytes = sizeBytes;
    }

    public static ChunkRef of(ChunkDigest digest, int sizeBytes) {
        return new ChunkRef(digest.hex(), sizeBytes);
    }

    public static ChunkRef zero(int sizeBytes) {
        return new ChunkRef(ZERO, sizeBytes);
    }

    @JsonIgnore
    public boolean isZero() {
        return digest.equals(ZERO);
    }

    /** Empty for a zero chunk. */
    public Optional<ChunkDigest> content() {
        return isZero() ? Optional.empty() : Optional.of(new ChunkDigest(digest));
    }
}
