package io.gpusnap.node.engine;

import io.gpusnap.node.operation.LogKeys;
import io.gpusnap.node.snapshot.OrphanSweep;
import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.tier.Quarantine;
import io.gpusnap.node.tier.TierException;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has the node's own store freed of what nothing names, and its quarantine kept within its limits, on a thread of its own: at once
 * when it starts, then each period.
 */
final class OrphanWatch implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(OrphanWatch.class);

    private final OrphanSweep sweep;
    private final Quarantine quarantine;
    private final Quarantine.Limits limits;
    private final Duration period;
    private volatile boolean closed;
    private @Nullable Thread thread;

    OrphanWatch(OrphanSweep sweep, Quarantine quarantine, Quarantine.Limits limits, Duration period) {
        this.sweep = sweep;
        this.quarantine = quarantine;
        this.limits = limits;
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
                look();
                lookAtQuarantine();
                Thread.sleep(period);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void look() {
        try {
            long freedBytes = sweep.look(() -> !closed);
            if (freedBytes > 0) {
                LOG.atInfo().addKeyValue("freedBytes", freedBytes).log("chunks that nothing named are gone");
            }
        } catch (TierException | ManifestException e) {
            LOG.atWarn()
                    .addKeyValue(LogKeys.REASON, e.getMessage())
                    .log("the node's store cannot be looked through for what nothing names; tried again");
        }
    }

    private void lookAtQuarantine() {
        try {
            long freedBytes = quarantine.look(limits, Instant.now(), () -> !closed);
            if (freedBytes > 0) {
                LOG.atInfo().addKeyValue("freedBytes", freedBytes).log("damaged chunks are kept no longer");
            }
        } catch (TierException e) {
            LOG.atWarn()
                    .addKeyValue(LogKeys.REASON, e.getMessage())
                    .log("the quarantine of the node's store cannot be looked through; tried again");
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
