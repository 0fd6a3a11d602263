package io.gpusnap.service.fanout;

import io.gpusnap.service.node.PeerKey;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.json.JsonColumns;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Base64;
import org.springframework.stereotype.Component;

/**
 * Makes what one node shows another: {@code gpusnap-peer.<claims>.<mac>}, both in base64url without padding. The claims are JSON;
 * the MAC is HMAC-SHA256 over all before the second dot, by the key of the session of the node that is asked.
 */
@Component
class PeerTokens {
    private static final String PREFIX = "gpusnap-peer.";

    private final JsonColumns json;

    PeerTokens(JsonColumns json) {
        this.json = json;
    }

    /**
     * @param audience the node that is asked
     * @param subject the node that asks
     * @param certificate that it asks with
     */
    record Claims(
            NodeId audience,
            NodeId subject,
            String certificate,
            SnapshotId snapshotId,
            String manifestDigest,
            String tenant,
            Instant expiresAt) {}

    String make(Claims claims, PeerKey key) {
        String signed = PREFIX
                + Base64.getUrlEncoder()
                        .withoutPadding()
                        .encodeToString(json.write(claims).getBytes(StandardCharsets.UTF_8));
        return signed + "." + key.sign(signed);
    }
}
