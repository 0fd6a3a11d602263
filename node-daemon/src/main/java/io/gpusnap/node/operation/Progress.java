package io.gpusnap.node.operation;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Bytes done and to do of one attempt of a stage. Adding is cheap and thread-safe; rate and remaining time are worked out
 * when somebody looks.
 */
public final class Progress {

    private final LongAdder doneBytes = new LongAdder();
    private final AtomicLong totalBytes = new AtomicLong();
    private final RateMeter meter;
    private final @Nullable Progress whole;

    public Progress() {
        this(System::nanoTime);
    }

    Progress(LongSupplier nanoTime) {
        this(nanoTime, null);
    }

    private Progress(LongSupplier nanoTime, @Nullable Progress whole) {
        this.meter = new RateMeter(nanoTime);
        this.whole = whole;
    }

    /** Progress of one of several subjects of a stage: what is done and to do of it counts here too. */
    Progress part() {
        return new Progress(System::nanoTime, this);
    }

    /** Zero means unknown. */
    public void setTotalBytes(long bytes) {
        long before = totalBytes.getAndSet(Math.max(0, bytes));
        if (whole != null) {
            whole.totalBytes.addAndGet(Math.max(0, bytes) - before);
        }
    }

    public void addBytes(long bytes) {
        doneBytes.add(bytes);
        if (whole != null) {
            whole.addBytes(bytes);
        }
    }

    public ProgressSnapshot snapshot() {
        long done = doneBytes.sum();
        return ProgressSnapshot.of(done, totalBytes.get(), meter.bytesPerSecond(done));
    }
}
