package io.gpusnap.node.engine.device;

import org.jspecify.annotations.Nullable;

/** The GPU, the driver or a workload's preload did not do what was asked. */
public final class GpuException extends Exception {

    public enum Kind {
        /** No preload answers in that process. */
        NOT_MANAGED,
        /** The preload speaks another version, or nonsense. */
        PROTOCOL,
        TIMEOUT,
        /** The workload ended. */
        PEER_GONE,
        NO_DEVICE_MEMORY,
        /** Driver or device cannot do this. */
        UNSUPPORTED,
        /** Anything else the driver or the library reports. */
        FAILED
    }

    private final Kind kind;

    public GpuException(Kind kind, String message, @Nullable Throwable cause) {
        super(message, cause);
        this.kind = kind;
    }

    public Kind kind() {
        return kind;
    }
}
