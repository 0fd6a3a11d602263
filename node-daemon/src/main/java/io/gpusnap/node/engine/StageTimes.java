package io.gpusnap.node.engine;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Seconds of each stage of one operation, as far as this daemon's life saw them. Thread-safe. */
final class StageTimes {

    private final long startNanos = System.nanoTime();
    private final Map<String, Double> seconds = Collections.synchronizedMap(new LinkedHashMap<>());

    private final Map<String, Long> running = new ConcurrentHashMap<>();

    void began(String stage) {
        running.put(stage, System.nanoTime());
    }

    void ended(String stage) {
        Long begun = running.remove(stage);
        if (begun != null) {
            took(stage, System.nanoTime() - begun);
        }
    }

    void took(String stage, long nanos) {
        seconds.merge(stage, nanos / 1e9, Double::sum);
    }

    /** A stage that is still running counts up to now. */
    Map<String, Double> seconds() {
        Map<String, Double> all;
        synchronized (seconds) {
            all = new LinkedHashMap<>(seconds);
        }
        running.forEach((stage, begun) -> all.merge(stage, (System.nanoTime() - begun) / 1e9, Double::sum));
        return all;
    }

    /** Since the operation was planned. */
    double totalSeconds() {
        return (System.nanoTime() - startNanos) / 1e9;
    }
}
