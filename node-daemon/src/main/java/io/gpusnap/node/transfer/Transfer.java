package io.gpusnap.node.transfer;

import io.gpusnap.gpu.Buffers;
import io.gpusnap.node.store.TreeDigester;
import java.lang.foreign.MemorySegment;
import java.util.function.LongConsumer;

/**
 * What every pipeline is told.
 *
 * @param threads of each pipeline
 * @param progress receives bytes as they are done, from any thread
 * @param safePoint called before each piece of work, from any thread; throws to stop the pipeline
 */
public record Transfer(int threads, LongConsumer progress, Runnable safePoint) {

    private static final int LEAST_REQUESTS = 4;

    /** For bytes that are counted elsewhere. */
    public Transfer uncounted() {
        return new Transfer(threads, bytes -> {}, safePoint);
    }

    /**
     * Of a pipeline whose threads take turns at the drive and the processor: while half of them wait, the others hash. A drive wants
     * several requests at once, also on a machine with few cores.
     */
    int driveThreads() {
        return 2 * threads + LEAST_REQUESTS;
    }

    /** Of a pipeline that reads a shared store: each thread has a request there, and memory for a stretch of a pack. */
    int storeThreads() {
        return 2 * threads;
    }

    /** One thread's buffer for one chunk, aligned for reads past the page cache. */
    static MemorySegment buffer(Buffers buffers) {
        return buffers.take(TreeDigester.MAX_CHUNK_BYTES);
    }
}
