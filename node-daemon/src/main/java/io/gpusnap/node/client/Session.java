package io.gpusnap.node.client;

/**
 * What the service gives a registered daemon.
 *
 * @param epoch of the node: one more at each registration
 */
public record Session(
        String nodeId, String sessionToken, long epoch, int heartbeatSeconds, int pollSeconds, int leaseSeconds) {

    /** Hides the token. */
    @Override
    public String toString() {
        return "Session[nodeId=" + nodeId + ", epoch=" + epoch + "]";
    }
}
