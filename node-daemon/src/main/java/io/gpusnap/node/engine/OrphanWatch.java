package io.gpusnap.node.engine;

import io.gpusnap.node.operation.LogKeys;
import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.tier.TierException;
import java.time.Duration;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has the node's own store freed of what nothing names, and its quarantine kept within its limits, on a thread of its own: at once
 * when it starts, then each period.
 */
final class OrphanWatch implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(OrphanWatch.class);

    /** One of the two things that it does each time. */
    @FunctionalInterface
    interface Look {
        /**
         * @param goesOn false ends it where it is
         * @return bytes that became free
         */
        long run(BooleanSupplier goesOn) throws TierException, ManifestException;
    }

    private final Look orphans;
    private final Look quarantine;
    private final Duration period;
    private volatile boolean closed;
    private @Nullable Thread thread;

    /** Each look counts by itself how often it failed. */
    OrphanWatch(Look orphans, Look quarantine, Duration period) {
        this.orphans = orphans;
        this.quarantine = quarantine;
        this.period = period;
    }

    /** Once; nothing happens when it is closed by then. */
    synchronized void start() {
        if (thread == null && !closed) {
            thread = Thread.ofPlatform().daemon().name("orphan-watch").start(this::watch);
        }
    }

    private void watch() {
        try {
            while (!closed) {
                look(
                        orphans,
                        "chunks that nothing named are gone",
                        "the node's store cannot be looked through for what nothing names; tried again");
                look(
                        quarantine,
                        "damaged chunks are kept no longer",
                        "the quarantine of the node's store cannot be looked through; tried again");
                Thread.sleep(period);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void look(Look what, String freed, String failed) {
        try {
            long freedBytes = what.run(() -> !closed);
            if (freedBytes > 0) {
                LOG.atInfo().addKeyValue("freedBytes", freedBytes).log(freed);
            }
        } catch (TierException | ManifestException e) {
            LOG.atWarn().addKeyValue(LogKeys.REASON, e.getMessage()).log(failed);
        } catch (RuntimeException e) {
            // A mistake in the one look must not end the other, nor the next ones: then nothing became free until a
            // restart.
            LOG.atError().setCause(e).log(failed);
        }
    }

    /** Returns when it has left store and pool alone for good. */
    @Override
    public void close() {
        Thread running;
        synchronized (this) {
            closed = true;
            running = thread;
        }
        if (running == null) {
            return;
        }
        running.interrupt();
        boolean interrupted = false;
        while (running.isAlive()) {
            try {
                running.join();
            } catch (InterruptedException e) {
                interrupted = true; // a few deletions, then it has ended: nobody may take the pool from under it
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
