package io.gpusnap.node.engine;

import java.time.Duration;
import java.time.Instant;

/** Remembered when a workload's gate closes, and again when it is open or the workload frozen for good. */
record Pause(Instant from, Instant to) {

    static Pause beginning() {
        Instant now = Instant.now();
        return new Pause(now, now);
    }

    Pause ending() {
        return new Pause(from, Instant.now());
    }

    double seconds() {
        return Duration.between(from, to).toNanos() / 1e9;
    }
}
