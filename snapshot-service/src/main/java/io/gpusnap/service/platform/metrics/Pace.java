package io.gpusnap.service.platform.metrics;

import java.util.function.LongSupplier;

/**
 * Lets a query that takes longer as its table grows run less often, so that measuring never costs more than a small part of the
 * time. For one job, whose rounds do not overlap.
 */
public final class Pace {
    /** After a run it waits so many times as long as the run took. */
    private static final long REST = 500;

    /** What takes no longer than this may run each time. */
    private static final long CHEAP_NANOS = 100_000_000;

    private final LongSupplier nanos;
    private long notBefore;

    public Pace() {
        this(System::nanoTime);
    }

    Pace(LongSupplier nanos) {
        this.nanos = nanos;
        this.notBefore = nanos.getAsLong();
    }

    /** Runs it, unless its last run took so long that it is to rest. */
    public void run(Runnable query) {
        long began = nanos.getAsLong();
        if (began - notBefore < 0) {
            return;
        }
        query.run();
        long ended = nanos.getAsLong();
        long took = ended - began;
        notBefore = took > CHEAP_NANOS ? ended + REST * took : ended;
    }
}
