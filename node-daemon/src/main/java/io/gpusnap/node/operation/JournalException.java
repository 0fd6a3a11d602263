package io.gpusnap.node.operation;

import org.jspecify.annotations.Nullable;

/** The journal cannot be written or read. An operation that meets it stops: it must not go on unremembered. */
public final class JournalException extends RuntimeException {

    public JournalException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
