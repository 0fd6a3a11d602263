package io.gpusnap.service.operation;

/** How much of a process leaves the GPU when it is suspended. */
public enum SuspendDepth {
    /** All of it: the driver checkpoints the process. */
    CONTEXT_RELEASED,
    /** Its managed memory only; the process keeps its CUDA context on the GPU and is back sooner. */
    CONTEXT_KEPT
}
