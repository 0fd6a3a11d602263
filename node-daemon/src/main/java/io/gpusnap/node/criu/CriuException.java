package io.gpusnap.node.criu;

import org.jspecify.annotations.Nullable;

/** CRIU failed, or could not be run. The message has the first error lines of its own log. */
public final class CriuException extends Exception {

    public CriuException(String message) {
        super(message);
    }

    public CriuException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
