package io.gpusnap.service.forecast.backtest;

import io.gpusnap.service.forecast.Forecaster;
import io.gpusnap.service.forecast.NaiveForecaster;
import io.gpusnap.service.forecast.SeasonalForecaster;
import io.gpusnap.service.forecast.prefetch.PrefetchRules;
import io.gpusnap.service.platform.command.CommandOptions;
import io.gpusnap.service.platform.command.Results;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * {@code java -jar snapshot-service.jar backtest}: forecast and prefetch against no prefetch and LRU. Without
 * {@code --trace} it runs the generated traces with seeds that nothing was tuned on ({@code docs/forecast.md}).
 */
public final class BacktestCommand {
    private static final Set<String> OPTIONS =
            Set.of("out", "document", "trace", "seeds", "first-seed", "days", "models", "nodes", "fast-gigabytes");
    private static final int DAY = 288;
    private static final int FIRST_SEED = 401;
    private static final int SEASONS = 14;
    private static final int SLOTS_A_NODE = 8;

    private final CommandOptions options;
    private final PrintStream out;
    private final int actFrom;
    private final int testFrom;

    private BacktestCommand(CommandOptions options, PrintStream out) {
        this.options = options;
        this.out = out;
        int days = days();
        actFrom = days * DAY / 3;
        testFrom = 2 * days * DAY / 3;
    }

    /** @throws IllegalArgumentException when an option or the trace is wrong */
    public static void run(String[] arguments, PrintStream out) throws IOException {
        new BacktestCommand(CommandOptions.parse(arguments, OPTIONS), out).run();
    }

    private int days() {
        return (int) options.number("days", 21, 6, 366);
    }

    private void run() throws IOException {
        List<BacktestReport.Run> runs = new ArrayList<>();
        if (options.has("trace")) {
            Trace trace = TraceFile.read(Path.of(options.text("trace", "")));
            runs.add(run(trace, 0, trace.steps() / 3, 2 * trace.steps() / 3));
        } else {
            for (TraceGenerator.Shape shape : TraceGenerator.Shape.values()) {
                long first = options.number("first-seed", FIRST_SEED, 0, Integer.MAX_VALUE);
                for (long seed = first; seed < first + options.number("seeds", 2, 1, 100); seed++) {
                    Trace trace =
                            TraceGenerator.generate(shape, seed, (int) options.number("models", 60, 1, 10_000), days());
                    runs.add(run(trace, seed, actFrom, testFrom));
                }
            }
        }
        BacktestReport report = new BacktestReport(
                "backtest",
                Results.machine(),
                PrefetchRules.standard(),
                new BacktestReport.Split(TraceGenerator.STEP, actFrom, testFrom),
                List.copyOf(runs));
        write(report);
    }

    /** Without {@code --nodes} as many as the trace's peak takes, and a tenth to spare. */
    private Fleet fleet(Trace trace) {
        int enough = (int) Math.ceil(1.1 * trace.peak() / SLOTS_A_NODE);
        return new Fleet(
                (int) options.number("nodes", Math.max(1, enough), 1, 10_000),
                SLOTS_A_NODE,
                options.number("fast-gigabytes", 160, 1, 100_000) * 1_000_000_000L,
                2_000_000_000L);
    }

    private BacktestReport.Run run(Trace trace, long seed, int from, int test) {
        Fleet fleet = fleet(trace);
        Backtest backtest = new Backtest(trace, fleet, test);
        List<Score> scores = new ArrayList<>();
        for (Policy policy : List.of(
                new NoPrefetch(),
                new Lru(),
                prefetch(trace, new NaiveForecaster()),
                prefetch(trace, new SeasonalForecaster(Duration.ofDays(1), SEASONS)))) {
            Score score = backtest.run(policy, from);
            scores.add(score);
            out.printf(
                    "%s, seed %d, %s: %.1f %% hot, %.1f %% of %.1f TB prefetched for nothing, %.0f s%n",
                    trace.name(),
                    seed,
                    score.policy(),
                    100 * score.hotRatio(),
                    100 * score.prefetchWasteRatio(),
                    score.prefetchedBytes() / 1e12,
                    score.seconds());
        }
        return new BacktestReport.Run(
                trace.name(),
                seed,
                trace.models().size(),
                trace.steps(),
                trace.peak(),
                fleet,
                trace.models().stream().mapToLong(Trace.Model::bytes).sum(),
                List.copyOf(scores));
    }

    private static Policy prefetch(Trace trace, Forecaster forecaster) {
        return new Prefetch(trace, forecaster, PrefetchRules.standard());
    }

    private void write(BacktestReport report) throws IOException {
        if (options.has("out")) {
            Path folder = Path.of(options.text("out", ""));
            Results.json(folder.resolve("backtest.json"), report);
            Results.text(folder.resolve("backtest.svg"), BacktestPlot.svg(report.runs()));
        }
        if (options.has("document")) {
            Results.replace(Path.of(options.text("document", "")), "backtest", report.table());
        }
        out.println(report.table());
    }
}
