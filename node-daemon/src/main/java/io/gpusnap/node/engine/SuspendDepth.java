package io.gpusnap.node.engine;

/** How much of a suspended process leaves the GPU. */
public enum SuspendDepth {
    /** All of it: the driver checkpoints the process, which takes about half a second, and as long again when it comes back. */
    CONTEXT_RELEASED,
    /** The managed memory only. The process keeps its CUDA context, about a gigabyte, and is back as fast as its memory fills. */
    CONTEXT_KEPT
}
