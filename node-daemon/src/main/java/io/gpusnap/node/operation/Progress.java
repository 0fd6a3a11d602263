package io.gpusnap.node.operation;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;

/**
 * Bytes done and to do of one attempt of a stage. Adding is cheap and thread-safe; rate and remaining time are worked out
 * when somebody looks.
 */
public final class Progress {

    private final LongAdder doneBytes = new LongAdder();
    private final AtomicLong totalBytes = new AtomicLong();
    private final RateMeter meter;

    public Progress() {
        this(System::nanoTime);
    }

    Progress(LongSupplier nanoTime) {
        this.meter = new RateMeter(nanoTime);
    }

    /** Zero means unknown. */
    public void setTotalBytes(long bytes) {
        totalBytes.set(Math.max(0, bytes));
    }

    public void addBytes(long bytes) {
        doneBytes.add(bytes);
    }

    public ProgressSnapshot snapshot() {
        long done = doneBytes.sum();
        return ProgressSnapshot.of(done, totalBytes.get(), meter.bytesPerSecond(done));
    }
}
