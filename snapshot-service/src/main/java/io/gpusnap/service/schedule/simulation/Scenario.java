package io.gpusnap.service.schedule.simulation;

import io.gpusnap.service.forecast.backtest.Trace;
import io.gpusnap.service.forecast.backtest.TraceGenerator;
import io.gpusnap.service.schedule.core.Goal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * A day of many models on a pool. Three quarters of them follow the day, the rest come in bursts; demand is scaled so that
 * its peak is more than the pool has. A fifth has priority 2, a half 1, the rest 0.
 *
 * @param gpus slots in all, eight a node
 */
record Scenario(int gpus, List<Model> models, int seconds) {
    private static final int DAYS = 2;
    private static final int DAY_STEPS = 288;
    private static final double STEP_SECONDS = 300;

    /** Of one H100, raw in {@code bench/results/gpu/cold-vs-thaw.json} at {@code ea9884d}: 20.5 GB of device memory. */
    private static final double SUSPEND_SECONDS = 1.21;

    private static final double RESUME_SECONDS = 1.19;
    private static final double THAW_SECONDS = 3.83;
    private static final double MEASURED_BYTES = 22.49e9;

    /** @param desired one value a step of five minutes */
    record Model(String name, int priority, Goal.Costs costs, int[] desired) {
        int desiredAt(double second) {
            return desired[Math.min(desired.length - 1, (int) (second / STEP_SECONDS))];
        }
    }

    static Scenario of(int gpus, int models, long seed, double overload, Duration length) {
        Random random = new Random(seed);
        int bursty = models / 4;
        List<Trace.Model> traces = new ArrayList<>();
        traces.addAll(TraceGenerator.generate(TraceGenerator.Shape.DIURNAL, seed, models - bursty, DAYS)
                .models());
        traces.addAll(TraceGenerator.generate(TraceGenerator.Shape.BURSTY, seed, bursty, DAYS)
                .models());
        double scale = overload * gpus / new Trace("all", TraceGenerator.STEP, traces).peak();
        List<Model> made = new ArrayList<>();
        for (int i = 0; i < traces.size(); i++) {
            Trace.Model trace = traces.get(i);
            double size = trace.bytes() / MEASURED_BYTES;
            int draw = random.nextInt(10);
            made.add(new Model(
                    (i < models - bursty ? "daily-" : "bursty-") + i,
                    draw < 2 ? 2 : draw < 7 ? 1 : 0,
                    new Goal.Costs(SUSPEND_SECONDS * size, RESUME_SECONDS * size, THAW_SECONDS * size),
                    scaled(trace.replicas(), scale)));
        }
        return new Scenario(gpus, List.copyOf(made), Math.toIntExact(length.toSeconds()));
    }

    /** The second day of the trace, so that bursts have begun. */
    private static int[] scaled(int[] replicas, double scale) {
        int[] scaled = new int[replicas.length - DAY_STEPS];
        for (int i = 0; i < scaled.length; i++) {
            scaled[i] = (int) Math.round(replicas[i + DAY_STEPS] * scale);
        }
        return scaled;
    }
}
