package io.gpusnap.node.config;

import java.util.Optional;

/**
 * What an S3 store is asked to do to objects at rest.
 *
 * @param kmsKey with {@code requested} and empty: the store's own key
 */
public record S3Encryption(boolean requested, Optional<String> kmsKey) {

    private static final String KMS = "aws:kms:";

    static S3Encryption of(String text) {
        String stripped = text.strip();
        if (stripped.equals("none")) {
            return new S3Encryption(false, Optional.empty());
        }
        if (stripped.equals("AES256")) {
            return new S3Encryption(true, Optional.empty());
        }
        if (stripped.startsWith(KMS) && stripped.length() > KMS.length()) {
            return new S3Encryption(true, Optional.of(stripped.substring(KMS.length())));
        }
        throw new IllegalArgumentException("write none, AES256, or aws:kms:<key id>");
    }
}
