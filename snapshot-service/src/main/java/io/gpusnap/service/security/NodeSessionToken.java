package io.gpusnap.service.security;

import io.gpusnap.service.platform.config.SecretFiles;
import io.gpusnap.service.platform.id.NodeId;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A daemon's token: bound to its node and to the epoch of one registration. The database keeps only the digest of the
 * secret part, which is 256 random bits, so a plain digest is enough.
 */
public record NodeSessionToken(NodeId nodeId, long epoch, String secret) {
    private static final String PREFIX = "gpusnap-node";
    private static final Pattern FORM =
            Pattern.compile(PREFIX + "\\.([0-9a-f-]{36})\\.([0-9]{1,18})\\.([A-Za-z0-9_-]{43})");

    /** A new secret for a registration. */
    public static String newSecret() {
        return SecretFiles.newSecret();
    }

    static Optional<NodeSessionToken> parse(String text) {
        Matcher matcher = FORM.matcher(text);
        if (!matcher.matches()) {
            return Optional.empty();
        }
        try {
            return Optional.of(new NodeSessionToken(
                    NodeId.of(matcher.group(1)), Long.parseLong(matcher.group(2)), matcher.group(3)));
        } catch (IllegalArgumentException notAnId) {
            return Optional.empty();
        }
    }

    /** As it goes over the wire. */
    public String text() {
        return PREFIX + "." + nodeId + "." + epoch + "." + secret;
    }

    /** SHA-256 of a secret, 32 bytes. */
    public static byte[] digest(String secret) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(secret.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    @Override
    public String toString() {
        return "NodeSessionToken[nodeId=" + nodeId + ", epoch=" + epoch + "]";
    }
}
