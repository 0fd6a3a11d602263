package io.gpusnap.gpu;

import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;

/**
 * Memory that goes from one piece of work to the next. A process has what its work has right now, and a little more, whatever it has
 * done before: a garbage collection gives memory back some day, and an allocator keeps pieces of what was freed, so either takes more from
 * hour to hour. Thread-safe.
 */
public final class BufferPool {

    private static final int PAGE_BYTES = 4096;
    /** What is larger is used for long, and seldom of the same size again. */
    private static final int KEPT_PIECES = 8;

    private static final BufferPool OF_PROCESS = new BufferPool(64L << 20);

    private final long mostIdleBytes;
    private final Map<Long, Deque<MemorySegment>> idle = new HashMap<>();
    private long lentBytes;
    private long idleBytes;

    /** @param mostIdleBytes that nobody uses and that the next one gets: more goes back to the system at once */
    BufferPool(long mostIdleBytes) {
        this.mostIdleBytes = mostIdleBytes;
    }

    /** The one that everybody shares. */
    public static BufferPool ofProcess() {
        return OF_PROCESS;
    }

    /** Bytes that somebody has now. */
    public synchronized long lentBytes() {
        return lentBytes;
    }

    /** Bytes that nobody has, and that are kept. */
    public synchronized long idleBytes() {
        return idleBytes;
    }

    /** @return page-aligned, of this size or up to a page more; what is in it is anything */
    MemorySegment take(long sizeBytes) {
        long whole = Math.ceilDiv(sizeBytes, PAGE_BYTES) * PAGE_BYTES;
        synchronized (this) {
            Deque<MemorySegment> ofSize = idle.get(whole);
            MemorySegment found = ofSize == null ? null : ofSize.pollFirst();
            lentBytes += whole;
            if (found != null) {
                idleBytes -= whole;
                return found;
            }
        }
        return MappedPages.reserve(whole);
    }

    /** @param memory as it was taken; nobody touches it any more */
    void giveBack(MemorySegment memory) {
        long sizeBytes = memory.byteSize();
        synchronized (this) {
            lentBytes -= sizeBytes;
            if (sizeBytes <= mostIdleBytes / KEPT_PIECES && idleBytes + sizeBytes <= mostIdleBytes) {
                idleBytes += sizeBytes;
                idle.computeIfAbsent(sizeBytes, size -> new ArrayDeque<>()).addFirst(memory);
                return;
            }
        }
        MappedPages.release(memory);
    }
}
