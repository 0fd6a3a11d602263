package io.gpusnap.node.client;

import org.jspecify.annotations.Nullable;

/** A call of the node API did not succeed. The message is for people. */
public abstract sealed class NodeApiException extends Exception {

    private NodeApiException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }

    /** The service does not answer, or not sensibly: worth trying again later. */
    public static final class Unavailable extends NodeApiException {
        Unavailable(String message, @Nullable Throwable cause) {
            super(message, cause);
        }
    }

    /** The node registered again, or the service lost the session: register anew. */
    public static final class StaleSession extends NodeApiException {
        StaleSession(String message) {
            super(message, null);
        }
    }

    /** The operation is somebody else's by now, or is over: stop, undo, report nothing. */
    public static final class Fenced extends NodeApiException {
        private final boolean over;

        Fenced(String message, boolean over) {
            super(message, null);
            this.over = over;
        }

        /** The operation has ended for good: nobody will claim it again. */
        public boolean over() {
            return over;
        }
    }

    /** The service refuses the request itself; the same one will be refused again. */
    public static final class Refused extends NodeApiException {
        private final int status;

        Refused(String message, int status) {
            super(message, null);
            this.status = status;
        }

        public int status() {
            return status;
        }
    }
}
