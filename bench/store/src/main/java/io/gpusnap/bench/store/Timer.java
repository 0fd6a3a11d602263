package io.gpusnap.bench.store;

/** Seconds since it was last asked. */
final class Timer {

    private static final double NANOS = 1e9;

    private long last = System.nanoTime();

    double lap() {
        long now = System.nanoTime();
        double seconds = (now - last) / NANOS;
        last = now;
        return seconds;
    }
}
