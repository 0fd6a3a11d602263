package io.gpusnap.node.operation;

import java.time.Duration;
import java.util.random.RandomGenerator;

/**
 * How often a stage is tried, and how long to wait between. The wait doubles with each attempt up to 30 s; jitter is the
 * share of it, 0 to 1, that is drawn at random so that many daemons do not return in step.
 */
public record RetryPolicy(int maxAttempts, Duration baseDelay, double jitter) {

    private static final Duration LONGEST_DELAY = Duration.ofSeconds(30);

    public RetryPolicy {
        if (maxAttempts < 1) {
            throw new IllegalArgumentException("maxAttempts must be at least 1, is " + maxAttempts);
        }
        if (baseDelay.isNegative()) {
            throw new IllegalArgumentException("baseDelay must not be negative, is " + baseDelay);
        }
        if (!(jitter >= 0 && jitter <= 1)) {
            throw new IllegalArgumentException("jitter must be between 0 and 1, is " + jitter);
        }
    }

    /** One attempt, no retry. */
    public static RetryPolicy none() {
        return new RetryPolicy(1, Duration.ZERO, 0);
    }

    public static RetryPolicy of(int maxAttempts, Duration baseDelay) {
        return new RetryPolicy(maxAttempts, baseDelay, 0.5);
    }

    /** The wait after the given failed attempt, counted from 1: between (1 - jitter) and 1 times its full length. */
    public Duration delayAfter(int failedAttempt, RandomGenerator random) {
        int doublings = Math.min(failedAttempt - 1, 20);
        long fullNanos = Math.min(baseDelay.toNanos(), LONGEST_DELAY.toNanos() >> doublings) << doublings;
        return Duration.ofNanos((long) (fullNanos * (1 - jitter * random.nextDouble())));
    }
}
