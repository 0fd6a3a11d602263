package io.gpusnap.node.peer;

import java.nio.charset.StandardCharsets;
import java.security.InvalidKeyException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.Base64;
import java.util.Optional;
import java.util.UUID;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * What the service lets one node ask of another: {@code gpusnap-peer.<claims>.<mac>}, both in base64url; the MAC is HMAC-SHA256
 * over everything before the second dot, by a key that only the service and the node that is asked have.
 *
 * @param audience the node that is asked
 * @param subject the node that asks
 * @param certificate SHA-256 of the certificate that it asks with: without its key the token is worth nothing
 * @param manifestDigest of the snapshot's manifest: other chunks are none of its business
 * @param tenant of both
 * @param expiresAt by the service's clock
 */
record PeerToken(
        UUID audience,
        UUID subject,
        String certificate,
        UUID snapshotId,
        String manifestDigest,
        String tenant,
        Instant expiresAt) {

    private static final String PREFIX = "gpusnap-peer.";
    private static final int MOST_CHARACTERS = 4096;
    private static final JsonMapper JSON = JsonMapper.builder().build();

    /** Empty unless the service has made it, with this key. */
    static Optional<PeerToken> verified(String text, byte[] key) {
        int dot = text.lastIndexOf('.');
        if (text.length() > MOST_CHARACTERS || !text.startsWith(PREFIX) || dot < PREFIX.length()) {
            return Optional.empty();
        }
        try {
            byte[] mac = Base64.getUrlDecoder().decode(text.substring(dot + 1));
            if (!MessageDigest.isEqual(mac, mac(key, text.substring(0, dot)))) {
                return Optional.empty();
            }
            byte[] claims = Base64.getUrlDecoder().decode(text.substring(PREFIX.length(), dot));
            return Optional.of(JSON.readValue(claims, PeerToken.class));
        } catch (IllegalArgumentException | JacksonException e) {
            return Optional.empty();
        }
    }

    /** As the service writes it. */
    String signed(byte[] key) {
        String claims = PREFIX + Base64.getUrlEncoder().withoutPadding().encodeToString(JSON.writeValueAsBytes(this));
        return claims + "." + Base64.getUrlEncoder().withoutPadding().encodeToString(mac(key, claims));
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
}
