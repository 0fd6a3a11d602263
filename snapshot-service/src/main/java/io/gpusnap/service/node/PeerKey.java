package io.gpusnap.service.node;

import io.gpusnap.service.security.NodeSessionToken;
import java.nio.charset.StandardCharsets;
import java.security.InvalidKeyException;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * What a node checks other nodes' tokens with, and the service makes them with. It follows from what the database has of the
 * node's session, so every replica has it, nothing more is stored, and it ends with the session.
 */
public final class PeerKey {
    private static final String PURPOSE = "gpusnap peer tokens v1";

    private final byte[] key;

    private PeerKey(byte[] sessionDigest) {
        this.key = mac(sessionDigest, PURPOSE);
    }

    /** Of a session that was just made. */
    public static PeerKey of(NodeSessionToken session) {
        return new PeerKey(NodeSessionToken.digest(session.secret()));
    }

    /** @param sessionDigest as the database has it */
    public static PeerKey ofDigest(byte[] sessionDigest) {
        return new PeerKey(sessionDigest);
    }

    /** As the node gets it. */
    public String text() {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(key);
    }

    /** HMAC-SHA256 of a text, in base64url. */
    public String sign(String text) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(mac(key, text));
    }

    private static byte[] mac(byte[] key, String text) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            return mac.doFinal(text.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException | InvalidKeyException e) {
            throw new IllegalStateException("every JDK has HmacSHA256", e);
        }
    }

    @Override
    public String toString() {
        return "PeerKey[***]";
    }
}
