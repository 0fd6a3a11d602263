package io.gpusnap.service.forecast.backtest;

import java.time.Duration;
import java.util.List;

/** Replicas that an autoscaler wanted, for several models over the same steps. */
public record Trace(String name, Duration step, List<Model> models) {

    /**
     * One model.
     *
     * @param bytes of its snapshot
     * @param replicas one a step, the oldest first
     */
    public record Model(String name, long bytes, int[] replicas) {}

    public int steps() {
        return models.stream().mapToInt(model -> model.replicas().length).min().orElse(0);
    }

    /** The most replicas that all models together wanted at the same time. */
    public int peak() {
        int most = 0;
        for (int step = 0; step < steps(); step++) {
            int at = step;
            most = Math.max(
                    most,
                    models.stream().mapToInt(model -> model.replicas()[at]).sum());
        }
        return most;
    }
}
