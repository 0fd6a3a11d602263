package io.gpusnap.node.store;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** Plain SHA-256 of a manifest's exact bytes, lower-case hex. */
public record ManifestDigest(String hex) {

    public static ManifestDigest of(byte[] manifest) {
        try {
            return new ManifestDigest(HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(manifest)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    @Override
    public String toString() {
        return hex;
    }
}
