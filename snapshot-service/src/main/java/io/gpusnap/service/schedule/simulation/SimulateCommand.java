package io.gpusnap.service.schedule.simulation;

import io.gpusnap.service.platform.command.CommandOptions;
import io.gpusnap.service.platform.command.Results;
import io.gpusnap.service.schedule.core.FairScheduler;
import io.gpusnap.service.schedule.core.GreedyScheduler;
import io.gpusnap.service.schedule.core.Rules;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** {@code java -jar snapshot-service.jar simulate}: a day of a pool, scheduled by the service's scheduler and by a greedy one. */
public final class SimulateCommand {
    private static final Set<String> OPTIONS = Set.of(
            "out",
            "document",
            "gpus",
            "models",
            "seed",
            "hours",
            "overload-percent",
            "keep-alive",
            "residency",
            "aging");
    private static final int TICK_SECONDS = 10;
    private static final int MOST_ACTIONS = 200;

    private SimulateCommand() {}

    /** What was found, as it is kept. */
    record Report(
            String program,
            Map<String, String> machine,
            int gpus,
            int models,
            long seed,
            int seconds,
            int tickSeconds,
            double peakDemandPerGpu,
            long keepAliveSeconds,
            long minResidencySeconds,
            long agingSeconds,
            List<SimulationResult> results) {

        String table() {
            StringBuilder text = new StringBuilder("""
                    | scheduler | starts | of them resumes | switches | median wait | p95 wait | longest a model had nothing | run took |
                    | --- | --- | --- | --- | --- | --- | --- | --- |
                    """);
            for (SimulationResult result : results) {
                text.append(String.format(
                        Locale.ROOT,
                        "| %s | %d | %d | %d | %.1f s | %.0f s | %.0f s | %.0f s |%n",
                        result.scheduler(),
                        result.starts(),
                        result.resumes(),
                        result.switches(),
                        result.medianWaitSeconds(),
                        result.p95WaitSeconds(),
                        result.longestWithoutReplicaSeconds(),
                        result.seconds()));
            }
            return text.toString();
        }
    }

    /** @throws IllegalArgumentException when an option is wrong */
    public static void run(String[] arguments, PrintStream out) throws IOException {
        CommandOptions options = CommandOptions.parse(arguments, OPTIONS);
        int gpus = (int) options.number("gpus", 1000, 1, 100_000);
        int models = (int) options.number("models", 200, 1, 10_000);
        long seed = options.number("seed", 1, 0, Integer.MAX_VALUE);
        double overload = options.number("overload-percent", 120, 1, 1000) / 100.0;
        long keepAlive = options.number("keep-alive", 300, 0, 86_400);
        long residency = options.number("residency", 120, 0, 86_400);
        long aging = options.number("aging", 300, 1, 86_400);
        Scenario scenario =
                Scenario.of(gpus, models, seed, overload, Duration.ofHours(options.number("hours", 24, 1, 24)));
        Report report = new Report(
                "simulate",
                Results.machine(),
                gpus,
                models,
                seed,
                scenario.seconds(),
                TICK_SECONDS,
                overload,
                keepAlive,
                residency,
                aging,
                List.of(
                        new Simulation(
                                        scenario,
                                        new FairScheduler(new Rules(aging, MOST_ACTIONS)),
                                        TICK_SECONDS,
                                        keepAlive,
                                        residency)
                                .run("gpusnap"),
                        new Simulation(scenario, new GreedyScheduler(), TICK_SECONDS, keepAlive, residency)
                                .run("greedy")));
        if (options.has("out")) {
            Results.json(Path.of(options.text("out", "")).resolve("simulation.json"), report);
        }
        if (options.has("document")) {
            Results.replace(Path.of(options.text("document", "")), "simulation", report.table());
        }
        out.println(report.table());
    }
}
