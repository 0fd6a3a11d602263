package io.gpusnap.node.store;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.security.DigestException;
import java.security.MessageDigest;

/** Leaves by Java's SHA-256, without garbage. Leaves of zeros, common in device memory, cost a comparison only. */
final class JavaLeafHasher implements LeafHasher {

    private static final MemorySegment ZERO_LEAF = MemorySegment.ofArray(new byte[LEAF_BYTES]);
    private static final byte[] ZERO_LEAF_DIGEST = ChunkDigest.sha256().digest(new byte[LEAF_BYTES]);

    private final MessageDigest sha256 = ChunkDigest.sha256();
    private final byte[] leaf = new byte[LEAF_BYTES];

    @Override
    public void hash(MemorySegment data, byte[] digests, byte[] zeros) {
        long size = data.byteSize();
        int number = 0;
        for (long offset = 0; offset < size; offset += LEAF_BYTES, number++) {
            int length = (int) Math.min(LEAF_BYTES, size - offset);
            boolean zero = MemorySegment.mismatch(data, offset, offset + length, ZERO_LEAF, 0, length) == -1;
            zeros[number] = (byte) (zero ? 1 : 0);
            int at = number * ChunkDigest.BYTES;
            if (zero && length == LEAF_BYTES) {
                System.arraycopy(ZERO_LEAF_DIGEST, 0, digests, at, ChunkDigest.BYTES);
            } else {
                MemorySegment.copy(data, ValueLayout.JAVA_BYTE, offset, leaf, 0, length);
                sha256.update(leaf, 0, length);
                digestInto(digests, at);
            }
        }
    }

    private void digestInto(byte[] out, int offset) {
        try {
            sha256.digest(out, offset, ChunkDigest.BYTES);
        } catch (DigestException e) {
            throw new IllegalStateException("no room for a digest", e);
        }
    }
}
