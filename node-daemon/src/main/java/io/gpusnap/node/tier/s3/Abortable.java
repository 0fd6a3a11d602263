package io.gpusnap.node.tier.s3;

import io.gpusnap.node.tier.TierException;
import java.time.Duration;
import java.util.concurrent.FutureTask;

/**
 * Calls that an interrupt of whoever waits for them ends at once. They run on a virtual thread, whose socket closes when it is
 * interrupted; that of a platform thread does not, and the request would go on until its deadline.
 */
final class Abortable {

    /** One interrupt ends one wait: what the call then does may be to wait again. */
    private static final Duration AGAIN = Duration.ofMillis(50);

    private Abortable() {}

    /**
     * Returns when nothing of the call runs any more. An interrupt meanwhile stays with the caller.
     *
     * @throws TierException of the call, as are unchecked ones
     */
    static <T> T call(Attempts.Request<T> request) throws TierException {
        FutureTask<T> task = new FutureTask<>(request::send);
        Thread thread = Thread.ofVirtual().name("s3-call").start(task);
        boolean interrupted = false;
        boolean ended = false;
        while (!ended) {
            try {
                if (interrupted) {
                    thread.interrupt();
                    ended = thread.join(AGAIN);
                } else {
                    thread.join();
                    ended = true;
                }
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        return result(task);
    }

    private static <T> T result(FutureTask<T> task) throws TierException {
        if (task.state() == FutureTask.State.SUCCESS) {
            return task.resultNow();
        }
        switch (task.exceptionNow()) {
            case TierException e -> throw e;
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            default -> throw new IllegalStateException("a call broke", task.exceptionNow());
        }
    }
}
