package io.gpusnap.node.operation;

/** Why an operation or a stage failed. Shared by name with the service's error codes, so names never change. */
public enum FailureCode {
    WORKLOAD_NOT_FOUND,
    WORKLOAD_NOT_MANAGED,
    WORKLOAD_UNSUPPORTED,
    WORKLOAD_LOST,
    GPU_MISMATCH,
    DRIVER_MISMATCH,
    INCOMPATIBLE,
    INSUFFICIENT_VRAM,
    INSUFFICIENT_SPACE,
    CHUNK_CORRUPT,
    CHUNK_MISSING,
    MANIFEST_INVALID,
    PID_CONFLICT,
    PORT_CONFLICT,
    PATH_MISSING,
    CRIU_UNAVAILABLE,
    CRIU_FAILED,
    DRIVER_FAILED,
    QUIESCE_TIMEOUT,
    WORKLOAD_REFUSED,
    PROTOCOL_ERROR,
    CAPABILITY_MISSING,
    STORE_ERROR,
    DAEMON_RESTARTED,
    LEASE_LOST,
    CANCELLED,
    INTERNAL
}
