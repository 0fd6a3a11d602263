package io.gpusnap.node.store;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.regex.Pattern;

/**
 * Name of a chunk's content by {@code sha256-tree-4k} (docs/formats.md).
 *
 * @param hex 64 lower-case hex digits; safe as a file name
 */
public record ChunkDigest(@JsonValue String hex) {

    public static final int BYTES = 32;
    private static final Pattern FORM = Pattern.compile("[0-9a-f]{64}");

    @JsonCreator
    public ChunkDigest {
        if (!FORM.matcher(hex).matches()) {
            throw new IllegalArgumentException("not a sha256-tree-4k digest: " + hex);
        }
    }

    /** @param bytes 32 bytes */
    public static ChunkDigest of(byte[] bytes) {
        return new ChunkDigest(HexFormat.of().formatHex(bytes));
    }

    /**
     * The root of a tree.
     *
     * @param leafDigests of its leaves, one after the other
     * @param length of them, bytes
     */
    static ChunkDigest root(byte[] leafDigests, int length) {
        MessageDigest sha256 = sha256();
        sha256.update(leafDigests, 0, length);
        return of(sha256.digest());
    }

    static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    public byte[] bytes() {
        return HexFormat.of().parseHex(hex);
    }

    @Override
    public String toString() {
        return hex;
    }
}
