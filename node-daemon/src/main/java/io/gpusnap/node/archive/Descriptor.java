package io.gpusnap.node.archive;

import io.gpusnap.node.store.ManifestException;
import java.lang.foreign.MemorySegment;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * An OCI descriptor: which blob, how large, and what it is.
 *
 * @param digest {@code sha256:} and 64 hex digits of the blob's bytes
 */
record Descriptor(
        String mediaType,
        String digest,
        long size,
        @Nullable String artifactType,
        @Nullable Map<String, String> annotations) {

    private static final String ALGORITHM = "sha256:";
    private static final Pattern FORM = Pattern.compile(ALGORITHM + "[0-9a-f]{64}");

    /** A document may lack what it must have: then it is a descriptor of nothing that is read here. */
    Descriptor {
        mediaType = Objects.requireNonNullElse(mediaType, "");
        digest = Objects.requireNonNullElse(digest, "");
    }

    static Descriptor of(String mediaType, MemorySegment content) {
        MessageDigest sha = sha256();
        sha.update(content.asByteBuffer());
        return new Descriptor(mediaType, digest(sha), content.byteSize(), null, null);
    }

    static Descriptor of(String mediaType, byte[] content) {
        return of(mediaType, MemorySegment.ofArray(content));
    }

    Descriptor annotated(String type, Map<String, String> notes) {
        return new Descriptor(mediaType, digest, size, type, notes);
    }

    /**
     * Where the blob is in the archive: never anywhere else, as the digest is hex digits only.
     *
     * @throws ManifestException when the digest is none, or of an algorithm that is not read
     */
    String name() throws ManifestException {
        if (!FORM.matcher(digest).matches() || size < 0) {
            throw new ManifestException("a descriptor of the archive names digest %s and %d bytes: only sha256 is read"
                    .formatted(digest, size));
        }
        return "blobs/sha256/" + digest.substring(ALGORITHM.length());
    }

    static String digest(MessageDigest finished) {
        return ALGORITHM + HexFormat.of().formatHex(finished.digest());
    }

    static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
