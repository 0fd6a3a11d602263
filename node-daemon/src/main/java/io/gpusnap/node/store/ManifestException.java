package io.gpusnap.node.store;

import org.jspecify.annotations.Nullable;

/** A manifest that cannot be believed. The message names the place and what is wrong with it. */
public sealed class ManifestException extends Exception permits NewerManifestException {

    public ManifestException(String message) {
        super(message);
    }

    public ManifestException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
