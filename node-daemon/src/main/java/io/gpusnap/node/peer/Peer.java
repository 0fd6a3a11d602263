package io.gpusnap.node.peer;

import java.time.Instant;

/**
 * Another node, as the service tells of it.
 *
 * @param nodeId of the service; homes are chosen by it
 * @param address host and port
 * @param certificate SHA-256 of its certificate, lower-case hex
 * @param since when it began, by the service's clock
 * @param token to be shown to it
 */
public record Peer(String nodeId, String address, String certificate, Role role, Instant since, String token) {

    /** What it has to do with the snapshot. */
    public enum Role {
        /** Its own store has all of it. */
        HOLDER,
        /** It brings it back, or copies it, right now. */
        FETCHER,
        /** It did so a while ago: its memory may have chunks. */
        RECENT
    }

    /** Hides the token. */
    @Override
    public String toString() {
        return "Peer[" + nodeId + ", " + address + ", " + role + "]";
    }
}
