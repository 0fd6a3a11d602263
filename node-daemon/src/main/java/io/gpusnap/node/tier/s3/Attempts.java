package io.gpusnap.node.tier.s3;

import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import software.amazon.awssdk.core.exception.SdkException;

/**
 * Tries requests again, a bounded number of times. The wait before each is drawn from the whole of a span that doubles (full
 * jitter), so that daemons which were turned away together do not return together.
 */
final class Attempts {

    private static final Duration FIRST_SPAN = Duration.ofMillis(100);
    private static final Duration LONGEST_SPAN = Duration.ofSeconds(5);

    private final int most;
    private final BooleanSupplier hopeless;
    private final Waits waits;

    /** @param hopeless whether nothing is gained by asking again now */
    Attempts(int most, BooleanSupplier hopeless, Waits waits) {
        this.most = most;
        this.hopeless = hopeless;
        this.waits = waits;
    }

    /**
     * How time is spent between two attempts.
     *
     * @param random draws the waits, on the thread that waits
     */
    record Waits(Supplier<RandomGenerator> random, Sleep sleep) {

        static final Waits REAL = new Waits(ThreadLocalRandom::current, Thread::sleep);
    }

    interface Sleep {
        void forMillis(long millis) throws InterruptedException;
    }

    /** One request; it may be sent more than once. */
    interface Request<T> {
        T send() throws TierException;
    }

    /** @throws SdkException the last one, or the first that does not pass by itself */
    <T> T each(Request<T> request) throws TierException {
        for (int attempt = 1; ; attempt++) {
            try {
                return request.send();
            } catch (SdkException e) {
                if (isLast(attempt) || !S3Errors.passes(e)) {
                    throw e;
                }
            } catch (TierException e) {
                if (isLast(attempt) || e.reason() != Reason.UNAVAILABLE) {
                    throw e;
                }
            }
            pause(attempt);
        }
    }

    private boolean isLast(int attempt) {
        return attempt == most || hopeless.getAsBoolean();
    }

    private void pause(int attempt) throws TierException {
        try {
            waits.sleep().forMillis(waits.random().get().nextLong(spanMillis(attempt)));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new TierException(Reason.IO, "interrupted between two attempts", e);
        }
    }

    private static long spanMillis(int attempt) {
        return Math.min(LONGEST_SPAN.toMillis(), FIRST_SPAN.toMillis() << Math.min(attempt - 1, 16));
    }
}
