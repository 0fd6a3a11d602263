package io.gpusnap.service.forecast.backtest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gpusnap.service.forecast.SeasonalForecaster;
import io.gpusnap.service.forecast.prefetch.PrefetchRules;
import io.gpusnap.service.testing.Api;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

class BacktestTest {
    private static final long GB = 1_000_000_000;
    private static final int DAY = 288;

    private final ByteArrayOutputStream text = new ByteArrayOutputStream();

    private void backtest(String... arguments) throws IOException {
        BacktestCommand.run(arguments, new PrintStream(text, true, StandardCharsets.UTF_8));
    }

    /** Eight models of 40 GB that take turns: each runs for three hours a day, on a node that holds two of them. */
    private static Trace turns(int days) {
        return new Trace(
                "turns",
                TraceGenerator.STEP,
                IntStream.range(0, 8)
                        .mapToObj(model -> new Trace.Model(
                                "m" + model,
                                40 * GB,
                                IntStream.range(0, days * DAY)
                                        .map(step -> step % DAY / 36 == model ? 1 : 0)
                                        .toArray()))
                        .toList());
    }

    private static Score run(Trace trace, Policy policy) {
        return new Backtest(trace, new Fleet(1, 2, 85 * GB, GB), 5 * DAY).run(policy, 3 * DAY);
    }

    private static Policy prefetch(Trace trace) {
        return new Prefetch(trace, new SeasonalForecaster(Duration.ofDays(1), 14), PrefetchRules.standard());
    }

    @Test
    void whatComesEveryDayIsThereBeforeItComes() {
        Trace trace = turns(8);

        Score none = run(trace, new NoPrefetch());
        Score lru = run(trace, new Lru());
        Score prefetch = run(trace, prefetch(trace));

        assertThat(none.scaleUps()).isEqualTo(24);
        assertThat(none.hotRatio()).isZero();
        assertThat(lru.hotRatio()).isZero();
        assertThat(prefetch.hotRatio()).isGreaterThan(0.9);
        assertThat(prefetch.prefetchWasteRatio()).isLessThan(0.1);
        assertThat(prefetch.medianLeadSeconds()).isBetween(300.0, 3600.0);
    }

    @Test
    void whatNobodyHasSeenIsNotPrefetched() {
        // given a model that nobody wanted until the last day
        int[] replicas = new int[8 * DAY];
        replicas[7 * DAY + 100] = 1;
        Trace trace = new Trace("new", TraceGenerator.STEP, List.of(new Trace.Model("m", 40 * GB, replicas)));

        Score score = run(trace, prefetch(trace));

        assertThat(score.scaleUps()).isEqualTo(1);
        assertThat(score.hotRatio()).isZero();
        assertThat(score.prefetchedBytes()).isZero();
    }

    @Test
    void aSeedIsATrace() {
        for (TraceGenerator.Shape shape : TraceGenerator.Shape.values()) {
            Trace one = TraceGenerator.generate(shape, 7, 5, 3);
            Trace same = TraceGenerator.generate(shape, 7, 5, 3);
            Trace other = TraceGenerator.generate(shape, 8, 5, 3);

            assertThat(one).usingRecursiveComparison().isEqualTo(same);
            assertThat(one).usingRecursiveComparison().isNotEqualTo(other);
            assertThat(one.steps()).isEqualTo(3 * DAY);
        }
    }

    @Test
    void theCommandReadsATraceAndWritesWhatItFound(@TempDir Path folder) throws IOException {
        // given
        Path trace = folder.resolve("mine.csv");
        StringBuilder lines = new StringBuilder("step,model,bytes,replicas\n");
        for (int step = 0; step < 6 * DAY; step += 36) {
            lines.append(step)
                    .append(",a,40000000000,")
                    .append(step % DAY == 72 ? 2 : 0)
                    .append('\n');
        }
        Files.writeString(trace, lines);
        Path document = Files.writeString(
                folder.resolve("doc.md"), "before\n<!-- backtest: begin -->\nold\n<!-- backtest: end -->\nafter\n");

        // when
        backtest("--trace=" + trace, "--out=" + folder, "--document=" + document);

        // then
        JsonNode report = Api.JSON.readTree(Files.readString(folder.resolve("backtest.json")));
        assertThat(report.at("/runs/0/trace").asString()).isEqualTo("mine.csv");
        assertThat(report.at("/runs/0/scores")).hasSize(4);
        assertThat(Files.readString(document))
                .startsWith("before\n")
                .contains("| mine.csv |")
                .doesNotContain("\nold\n")
                .endsWith("after\n");
        assertThat(Files.readString(folder.resolve("backtest.svg")))
                .startsWith("<svg")
                .contains("mine.csv");
    }

    @Test
    void theTableAndThePlotInTheDocumentsAreWhatTheKeptResultSays() throws IOException {
        Path root = Path.of(System.getProperty("gpusnap.root", ".."));
        String kept = Files.readString(root.resolve("bench/results/forecast/backtest.json"));
        BacktestReport report = Api.JSON.readValue(kept, BacktestReport.class);

        assertThat(Files.readString(root.resolve("docs/forecast.md")))
                .contains("<!-- backtest: begin -->\n" + report.table() + "<!-- backtest: end -->");
        assertThat(Files.readString(root.resolve("docs/forecast.svg"))).isEqualTo(BacktestPlot.svg(report.runs()));
    }

    @Test
    void aWrongTraceIsNamedWithItsLine(@TempDir Path folder) throws IOException {
        Path bad = Files.writeString(folder.resolve("bad.csv"), "step,model,bytes,replicas\n0,a,1,1\n1,a,1,-1\n");
        Path headless = Files.writeString(folder.resolve("headless.csv"), "0,a,1,1\n");

        assertThatThrownBy(() -> backtest("--trace=" + bad)).hasMessageContaining("bad.csv line 3");
        assertThatThrownBy(() -> backtest("--trace=" + headless)).hasMessageContaining("must begin with the line");
    }
}
