package io.gpusnap.node.engine;

import io.gpusnap.node.operation.StageContext;
import java.util.concurrent.CancellationException;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * What work beside the stages of an operation counts, and hears of them: the stage that waits for it, if one does, lends it its progress
 * and its cancellation. Thread-safe.
 */
final class BesideStages {

    private long doneBytes;
    private @Nullable StageContext waiting;
    private volatile boolean closed;

    /** These are done. */
    synchronized void done(long bytes) {
        doneBytes += bytes;
        if (waiting != null) {
            waiting.progress().addBytes(bytes);
        }
    }

    /** @throws CancellationException when the operation has ended, or the stage that waits is cancelled */
    void safePoint() {
        if (closed) {
            throw new CancellationException("the thaw has ended");
        }
        StageContext stage = waiting();
        if (stage != null) {
            stage.checkCancelled();
        }
    }

    private synchronized @Nullable StageContext waiting() {
        return waiting;
    }

    /**
     * A stage waits from now on.
     *
     * @param done is told how much was done before; nothing is counted meanwhile
     */
    synchronized void begin(StageContext stage, LongConsumer done) {
        waiting = stage;
        done.accept(doneBytes);
    }

    /** It waits no longer. */
    synchronized void end() {
        waiting = null;
    }

    /** From now on each {@link #safePoint} ends the work. */
    void close() {
        closed = true;
    }
}
