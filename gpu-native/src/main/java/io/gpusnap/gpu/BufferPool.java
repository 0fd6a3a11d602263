package io.gpusnap.gpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;

/**
 * Memory that goes from one piece of work to the next. So a process takes as much as its work has ever needed at once, whatever it
 * has done: memory that a garbage collection gives back some day, or an allocator that keeps what was freed, takes more from hour to
 * hour. Nothing is given back to the allocator; but of what nobody uses the pages are, beyond a small part. Thread-safe.
 */
public final class BufferPool {

    private static final int PAGE_BYTES = 4096;
    private static final BufferPool OF_PROCESS = new BufferPool(64L << 20);

    private record Idle(MemorySegment memory, boolean hasPages) {}

    private final long keptBytes;
    /** By size; those with pages first. */
    private final Map<Long, Deque<Idle>> idle = new HashMap<>();

    private long madeBytes;
    private long lentBytes;
    private long idlePageBytes;

    /** @param keptBytes of what nobody uses, so much keeps its pages: it is the fastest to have again */
    BufferPool(long keptBytes) {
        this.keptBytes = keptBytes;
    }

    /** The one that everybody shares. */
    public static BufferPool ofProcess() {
        return OF_PROCESS;
    }

    /** Bytes that were ever taken from the allocator. */
    public synchronized long madeBytes() {
        return madeBytes;
    }

    /** Bytes that somebody has now. */
    public synchronized long lentBytes() {
        return lentBytes;
    }

    /** Bytes that nobody has and that have pages all the same. */
    public synchronized long idlePageBytes() {
        return idlePageBytes;
    }

    /** @return page-aligned, of this size or up to a page more; what is in it is anything */
    synchronized MemorySegment take(long sizeBytes) {
        long whole = Math.ceilDiv(sizeBytes, PAGE_BYTES) * PAGE_BYTES;
        Idle found = ofSize(whole).pollFirst();
        lentBytes += whole;
        if (found == null) {
            madeBytes += whole;
            return Arena.global().allocate(whole, PAGE_BYTES);
        }
        idlePageBytes -= found.hasPages() ? whole : 0;
        return found.memory();
    }

    /** @param memory as it was taken; nobody touches it any more */
    synchronized void giveBack(MemorySegment memory) {
        long sizeBytes = memory.byteSize();
        lentBytes -= sizeBytes;
        if (idlePageBytes + sizeBytes <= keptBytes) {
            idlePageBytes += sizeBytes;
            ofSize(sizeBytes).addFirst(new Idle(memory, true));
        } else {
            MappedPages.letGo(memory);
            ofSize(sizeBytes).addLast(new Idle(memory, false));
        }
    }

    private Deque<Idle> ofSize(long sizeBytes) {
        return idle.computeIfAbsent(sizeBytes, size -> new ArrayDeque<>());
    }
}
