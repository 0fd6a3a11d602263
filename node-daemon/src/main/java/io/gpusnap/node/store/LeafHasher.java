package io.gpusnap.node.store;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.security.DigestException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * SHA-256 of 4 KiB leaves without garbage. Leaves of zeros, common in device memory, cost a comparison only. One object a
 * thread.
 */
final class LeafHasher {

    static final int LEAF_BYTES = 4096;
    private static final MemorySegment ZERO_LEAF = MemorySegment.ofArray(new byte[LEAF_BYTES]);
    private static final byte[] ZERO_LEAF_DIGEST = sha256().digest(new byte[LEAF_BYTES]);

    private final MessageDigest sha256 = sha256();
    private final byte[] leaf = new byte[LEAF_BYTES];

    /**
     * Writes the digest of one leaf.
     *
     * @param length 1 to 4096
     * @return whether every byte was zero
     */
    boolean hash(MemorySegment data, long offset, int length, byte[] out, int outOffset) {
        boolean zero = MemorySegment.mismatch(data, offset, offset + length, ZERO_LEAF, 0, length) == -1;
        if (zero && length == LEAF_BYTES) {
            System.arraycopy(ZERO_LEAF_DIGEST, 0, out, outOffset, ChunkDigest.BYTES);
            return true;
        }
        MemorySegment.copy(data, ValueLayout.JAVA_BYTE, offset, leaf, 0, length);
        sha256.update(leaf, 0, length);
        digestInto(out, outOffset);
        return zero;
    }

    /** The root of the tree: SHA-256 over the leaves' digests. */
    ChunkDigest root(byte[] leafDigests, int length) {
        sha256.update(leafDigests, 0, length);
        return ChunkDigest.of(sha256.digest());
    }

    private void digestInto(byte[] out, int offset) {
        try {
            sha256.digest(out, offset, ChunkDigest.BYTES);
        } catch (DigestException e) {
            throw new IllegalStateException("no room for a digest", e);
        }
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
