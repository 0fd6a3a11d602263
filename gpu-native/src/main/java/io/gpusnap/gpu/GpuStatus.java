package io.gpusnap.gpu;

/** Outcome of a call into libgpusnap; {@code gpusnap_status} of gpusnap.h. */
public enum GpuStatus {
    OK(0),
    /** An argument is wrong. */
    INVALID(1),
    /** libcuda cannot be loaded or initialised. */
    NO_DRIVER(2),
    /** The driver or the device cannot do this. */
    UNSUPPORTED(3),
    /** A driver call failed; the text names call and CUDA error. */
    DRIVER(4),
    TIMEOUT(5),
    NO_HOST_MEMORY(6),
    NO_DEVICE_MEMORY(7),
    /** The workload ended or closed the connection. */
    PEER_GONE(8),
    /** The workload's preload speaks another version or sent nonsense. */
    PROTOCOL(9),
    /** Not allowed in the target's present state. */
    STATE(10),
    IO(11),
    /** No preload answers in that process. */
    NOT_MANAGED(12),
    PERMISSION(13),
    /** A quiesce callback of the application said no; the text has its reason. */
    REFUSED(14),
    /** A code that this binding does not know. */
    UNKNOWN(-1);

    private final int code;

    GpuStatus(int code) {
        this.code = code;
    }

    int code() {
        return code;
    }

    static GpuStatus of(int code) {
        for (GpuStatus status : values()) {
            if (status.code == code) {
                return status;
            }
        }
        return UNKNOWN;
    }
}
