package io.gpusnap.service.forecast;

import java.time.Duration;
import java.time.Instant;

/** What was observed, one value a step without gaps, the oldest first. Immutable. */
public final class Series {
    private final Instant end;
    private final Duration step;
    private final double[] values;
    private final int length;

    /**
     * Takes a copy of the values.
     *
     * @param end when the last value's step ends
     */
    public Series(Instant end, Duration step, double[] values) {
        this(end, step, values.clone(), values.length);
        if (step.isZero() || step.isNegative()) {
            throw new IllegalArgumentException("a step takes time, not " + step);
        }
    }

    private Series(Instant end, Duration step, double[] shared, int length) {
        this.end = end;
        this.step = step;
        this.values = shared;
        this.length = length;
    }

    public Instant end() {
        return end;
    }

    public Duration step() {
        return step;
    }

    public int length() {
        return length;
    }

    /** The value of step {@code index}, 0 being the oldest. */
    public double at(int index) {
        if (index >= length) {
            throw new IndexOutOfBoundsException("step " + index + " of " + length + " is not known yet");
        }
        return values[index];
    }

    /** The newest value; 0 when nothing was observed yet. */
    public double last() {
        return length == 0 ? 0 : values[length - 1];
    }

    /** What was known when only so many steps had passed: the forecaster of a test must not see more. */
    public Series until(int steps) {
        if (steps > length) {
            throw new IndexOutOfBoundsException(steps + " steps of " + length);
        }
        return new Series(end.minus(step.multipliedBy((long) length - steps)), step, values, steps);
    }
}
