package io.gpusnap.gpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * Memory that one piece of work borrows from a pool, and gives back as a whole once it is closed. Who uses it after that gets an
 * exception and not what another one has there by then. Thread-safe.
 */
public final class Buffers implements AutoCloseable {

    private static final class Lent {
        private final MemorySegment memory;
        private final Arena view = Arena.ofShared();

        private Lent(MemorySegment memory) {
            this.memory = memory;
        }
    }

    private final BufferPool pool;
    private final List<Lent> lent = new ArrayList<>();
    private long stuckBytes;
    private boolean closed;

    public Buffers() {
        this(BufferPool.ofProcess());
    }

    Buffers(BufferPool pool) {
        this.pool = pool;
    }

    /**
     * @return page-aligned, of at least this size, for any thread; what is in it is anything
     * @throws IllegalStateException once it is closed
     */
    public synchronized MemorySegment take(long sizeBytes) {
        if (closed) {
            throw new IllegalStateException("these buffers were given back");
        }
        Lent one = new Lent(pool.take(sizeBytes));
        lent.add(one);
        return one.memory.reinterpret(one.memory.byteSize(), one.view, null);
    }

    /** A buffer that a call still has, one that hangs, stays lent for ever: whatever it writes goes nowhere else. */
    @Override
    public synchronized void close() {
        closed = true;
        for (Lent one : lent) {
            try {
                one.view.close();
            } catch (IllegalStateException e) {
                stuckBytes += one.memory.byteSize();
                continue;
            }
            pool.giveBack(one.memory);
        }
        lent.clear();
    }

    /** What a call still had when these were closed. */
    public synchronized long stuckBytes() {
        return stuckBytes;
    }
}
