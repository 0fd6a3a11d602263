package io.gpusnap.node.client;

import org.jspecify.annotations.Nullable;

/**
 * What the service gives a registered daemon.
 *
 * @param epoch of the node: one more at each registration
 * @param peerKey checks what other nodes show, in base64url; absent from services that keep nodes apart
 */
public record Session(
        String nodeId,
        String sessionToken,
        long epoch,
        int heartbeatSeconds,
        int pollSeconds,
        int leaseSeconds,
        @Nullable String peerKey) {

    /** Hides token and key. */
    @Override
    public String toString() {
        return "Session[nodeId=" + nodeId + ", epoch=" + epoch + "]";
    }
}
