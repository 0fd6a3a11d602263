package io.gpusnap.service.schedule.simulation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gpusnap.service.schedule.core.FairScheduler;
import io.gpusnap.service.schedule.core.GreedyScheduler;
import io.gpusnap.service.schedule.core.Rules;
import io.gpusnap.service.testing.Api;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

class SimulationTest {
    private final ByteArrayOutputStream text = new ByteArrayOutputStream();

    private void simulate(String... arguments) throws IOException {
        SimulateCommand.run(arguments, new PrintStream(text, true, StandardCharsets.UTF_8));
    }

    @Test
    void onAnOverloadedPoolNobodyStarvesUnderOursAndSomebodyDoesUnderTheGreedyOne() {
        // given 40 slots, 20 models, and a peak of half as much again
        Scenario scenario = Scenario.of(40, 20, 3, 1.5, Duration.ofHours(24));

        // when
        SimulationResult ours =
                new Simulation(scenario, new FairScheduler(new Rules(300, 50)), 10, 300, 120).run("gpusnap");
        SimulationResult greedy = new Simulation(scenario, new GreedyScheduler(), 10, 300, 120).run("greedy");

        // then
        assertThat(ours.longestWithoutReplicaSeconds()).isLessThan(1800);
        assertThat(greedy.longestWithoutReplicaSeconds()).isGreaterThan(3 * ours.longestWithoutReplicaSeconds());
        assertThat(ours.unexplained()).isZero();
        assertThat(ours.starts()).isPositive();
    }

    @Test
    void theTableInTheDocumentIsWhatTheKeptResultSays() throws IOException {
        Path root = Path.of(System.getProperty("gpusnap.root", ".."));
        String kept = Files.readString(root.resolve("bench/results/schedule/simulation.json"));
        SimulateCommand.Report report = Api.JSON.readValue(kept, SimulateCommand.Report.class);

        assertThat(Files.readString(root.resolve("docs/schedule.md")))
                .contains("<!-- simulation: begin -->\n" + report.table() + "<!-- simulation: end -->");
    }

    @Test
    void theSameSeedGivesTheSameResult() {
        SimulationResult[] results = new SimulationResult[2];
        for (int i = 0; i < 2; i++) {
            results[i] = new Simulation(
                            Scenario.of(16, 8, 5, 1.2, Duration.ofHours(6)),
                            new FairScheduler(new Rules(300, 50)),
                            10,
                            300,
                            120)
                    .run("gpusnap");
        }

        assertThat(results[1])
                .usingRecursiveComparison()
                .ignoringFields("seconds")
                .isEqualTo(results[0]);
    }

    @Test
    void theCommandWritesWhatItFound(@TempDir Path folder) throws IOException {
        simulate("--gpus=16", "--models=8", "--hours=2", "--out=" + folder);

        JsonNode report = Api.JSON.readTree(Files.readString(folder.resolve("simulation.json")));
        assertThat(report.path("gpus").asInt()).isEqualTo(16);
        assertThat(report.at("/results/0/scheduler").asString()).isEqualTo("gpusnap");
        assertThat(report.at("/results/1/scheduler").asString()).isEqualTo("greedy");
        assertThat(report.at("/machine/cores").asString()).isNotBlank();
        assertThat(text.toString(StandardCharsets.UTF_8))
                .contains("| gpusnap |")
                .contains("| greedy |");
    }

    @Test
    void aWrongOptionIsNamed() {
        assertThatThrownBy(() -> simulate("--gpus=none"))
                .hasMessageContaining("--gpus")
                .hasMessageContaining("none");
        assertThatThrownBy(() -> simulate("--speed=2"))
                .hasMessageContaining("--speed=2")
                .hasMessageContaining("--gpus=");
    }
}
