package io.gpusnap.node.engine;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/** Seconds of each stage of one operation, as far as this daemon's life saw them. Thread-safe. */
final class StageTimes {

    private final long startNanos = System.nanoTime();
    private final Map<String, Double> seconds = Collections.synchronizedMap(new LinkedHashMap<>());

    void took(String stage, long nanos) {
        seconds.merge(stage, nanos / 1e9, Double::sum);
    }

    Map<String, Double> seconds() {
        synchronized (seconds) {
            return new LinkedHashMap<>(seconds);
        }
    }

    /** Since the operation was planned. */
    double totalSeconds() {
        return (System.nanoTime() - startNanos) / 1e9;
    }
}
