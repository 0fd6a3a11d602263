package io.gpusnap.bench;

import java.util.Locale;

/**
 * What was found.
 *
 * @param p99Ratio of restore decisions, large against small
 */
record Report(Machine machine, Decisions small, Decisions large, double p99Ratio, Claims claims, Rates rates) {

    /**
     * @param loadAverage at the end: of a busy machine the times are too long
     * @param revision of the source, as git describes it
     */
    record Machine(
            String cpu, int cores, String kernel, String java, String postgres, String loadAverage, String revision) {}

    /** Restore decisions, over HTTP. */
    record Decisions(int snapshots, int nodes, Latencies latencies) {
        double ratioTo(Decisions other) {
            return latencies.p99Millis() / other.latencies.p99Millis();
        }
    }

    /** From the call that creates an operation to the waiting daemon's answer, over HTTP. */
    record Claims(Latencies sameInstance, Latencies otherInstance) {}

    /**
     * Calls a second.
     *
     * @param daemons that called at the same time
     * @param dbSchedulerExecutionsPerSecond one-time tasks: picked in batches, executed in the bench's process, deleted
     * @param dbSchedulerLatency from the call that schedules to the execution, with its polling at 100 ms
     */
    record Rates(
            int daemons,
            double heartbeatsPerSecond,
            double claimsPerSecond,
            double dbSchedulerExecutionsPerSecond,
            Latencies dbSchedulerLatency) {}

    String table() {
        return String.format(
                Locale.ROOT,
                """
                | what | median | p99 | longest |
                | --- | --- | --- | --- |
                %s%s%s%s%s
                Restore decisions, p99 against p99: %.2f. Heartbeats: %.0f a second. Claims: %.0f a second, each over HTTP, %d daemons at once. \
                db-scheduler: %.0f executions a second. %s, %d cores, load %s.
                """,
                row(
                        "restore decision, " + small.snapshots() + " snapshots, " + small.nodes() + " nodes",
                        small.latencies()),
                row(
                        "restore decision, " + large.snapshots() + " snapshots, " + large.nodes() + " nodes",
                        large.latencies()),
                row("created to claimed, same instance", claims.sameInstance()),
                row("created to claimed, other instance", claims.otherInstance()),
                row("db-scheduler, scheduled to executed, polling every 100 ms", rates.dbSchedulerLatency()),
                p99Ratio,
                rates.heartbeatsPerSecond(),
                rates.claimsPerSecond(),
                rates.daemons(),
                rates.dbSchedulerExecutionsPerSecond(),
                machine.cpu(),
                machine.cores(),
                machine.loadAverage());
    }

    private static String row(String what, Latencies latencies) {
        return String.format(
                Locale.ROOT,
                "| %s | %.1f ms | %.1f ms | %.1f ms |%n",
                what,
                latencies.medianMillis(),
                latencies.p99Millis(),
                latencies.longestMillis());
    }
}
