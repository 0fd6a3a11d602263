package io.gpusnap.node.engine;

import io.gpusnap.node.operation.LogKeys;
import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.tier.TierException;
import java.time.Duration;
import java.util.function.BooleanSupplier;
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
    private final WatchThread thread;

    /** Each look counts by itself how often it failed. */
    OrphanWatch(Look orphans, Look quarantine, Duration period) {
        this.orphans = orphans;
        this.quarantine = quarantine;
        this.thread = new WatchThread("orphan-watch", period, this::look);
    }

    /** Once; nothing happens when it is closed by then. */
    void start() {
        thread.start();
    }

    private void look(BooleanSupplier goesOn) {
        look(
                orphans,
                goesOn,
                "chunks that nothing named are gone",
                "the node's store cannot be looked through for what nothing names; tried again");
        look(
                quarantine,
                goesOn,
                "damaged chunks are kept no longer",
                "the quarantine of the node's store cannot be looked through; tried again");
    }

    private void look(Look what, BooleanSupplier goesOn, String freed, String failed) {
        try {
            long freedBytes = what.run(goesOn);
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
        thread.close();
    }
}
