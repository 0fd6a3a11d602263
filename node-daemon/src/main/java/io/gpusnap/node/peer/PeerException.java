package io.gpusnap.node.peer;

import java.io.Serial;

/** A peer did not bring what it was asked for. */
final class PeerException extends Exception {

    @Serial
    private static final long serialVersionUID = 1;

    private final PeerCounts.Failure failure;

    PeerException(PeerCounts.Failure failure, String message) {
        super(message);
        this.failure = failure;
    }

    PeerException(PeerCounts.Failure failure, String message, Throwable cause) {
        super(message, cause);
        this.failure = failure;
    }

    PeerCounts.Failure failure() {
        return failure;
    }
}
