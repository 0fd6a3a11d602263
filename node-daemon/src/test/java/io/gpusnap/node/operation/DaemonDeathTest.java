package io.gpusnap.node.operation;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A daemon killed at every point of every stage: the next one finishes or leaves nothing, and never hangs between. */
class DaemonDeathTest {

    private static final List<String> EVERYTHING = List.of("open", "seal", "write");

    @TempDir
    Path folder;

    private Path world;

    @BeforeEach
    void makeWorld() throws IOException {
        world = Files.createDirectories(folder.resolve("world"));
    }

    @ParameterizedTest(name = "killed at {0} {1}: {2}")
    @CsvSource({
        "open,  STARTED,   UNDONE",
        "open,  INSIDE,    UNDONE",
        "open,  RETURNED,  UNDONE",
        "open,  SUCCEEDED, FINISHED",
        "write, STARTED,   FINISHED",
        "write, INSIDE,    FINISHED",
        "write, RETURNED,  FINISHED",
        "write, SUCCEEDED, UNDONE",
        "seal,  STARTED,   UNDONE",
        "seal,  INSIDE,    UNDONE",
        "seal,  RETURNED,  UNDONE",
        "seal,  SUCCEEDED, FINISHED",
    })
    void aRunThatWasKilledIsFinishedOrUndone(String stage, StagePoint point, String expected) throws Exception {
        OperationId id = OperationId.random();
        killChildAt(id, stage, point, false);

        OperationOutcome outcome = recover(id);

        if (expected.equals("FINISHED")) {
            assertThat(outcome).isInstanceOf(OperationOutcome.Succeeded.class);
            assertThat(filesInWorld()).isEqualTo(EVERYTHING);
        } else {
            assertThat(outcome)
                    .isInstanceOfSatisfying(
                            OperationOutcome.Failed.class,
                            failed -> assertThat(failed.code()).isEqualTo(FailureCode.DAEMON_RESTARTED));
            assertThat(filesInWorld()).isEmpty();
        }
    }

    @ParameterizedTest(name = "killed at {0} {1} of undoing")
    @CsvSource({
        "seal,  COMPENSATING",
        "seal,  UNDONE",
        "write, COMPENSATING",
        "write, UNDONE",
        "open,  COMPENSATING",
        "open,  UNDONE",
    })
    void undoingThatWasKilledIsFinishedWithTheFirstFailure(String stage, StagePoint point) throws Exception {
        OperationId id = OperationId.random();
        killChildAt(id, stage, point, true);

        OperationOutcome outcome = recover(id);

        assertThat(outcome).isInstanceOfSatisfying(OperationOutcome.Failed.class, failed -> {
            assertThat(failed.code()).isEqualTo(FailureCode.CHUNK_CORRUPT);
            assertThat(failed.stage()).contains("seal");
        });
        assertThat(filesInWorld()).isEmpty();
    }

    @Test
    void whatWasAcceptedButHadNotBegunIsNotBegunAnyMore() throws Exception {
        OperationId id = OperationId.random();
        Journal.open(folder.resolve("journal"), ToyStage.FACTS)
                .create(
                        new OperationSpec(id, OperationKind.SAVE, new ToyStage.Plan(world.toString(), false)),
                        List.of());

        OperationOutcome outcome = recover(id);

        assertThat(outcome).isInstanceOfSatisfying(OperationOutcome.Failed.class, failed -> {
            assertThat(failed.code()).isEqualTo(FailureCode.DAEMON_RESTARTED);
            assertThat(failed.retryable()).isTrue();
            assertThat(failed.stage()).isEmpty();
        });
        assertThat(filesInWorld()).isEmpty();
    }

    private void killChildAt(OperationId id, String stage, StagePoint point, boolean failAtEnd) throws Exception {
        Process child = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1",
                        "-XX:+UseSerialGC",
                        "-cp",
                        System.getProperty("java.class.path"),
                        KilledRunner.class.getName(),
                        folder.resolve("journal").toString(),
                        world.toString(),
                        id.toString(),
                        stage,
                        point.name(),
                        String.valueOf(failAtEnd))
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("child.log").toFile())
                .start();
        int status = child.waitFor();
        assertThat(status)
                .as("exit status of the child: %s", Files.readString(folder.resolve("child.log")))
                .isEqualTo(137);
    }

    private OperationOutcome recover(OperationId id) {
        Journal journal = Journal.open(folder.resolve("journal"), ToyStage.FACTS);
        assertThat(journal.unfinished()).hasSize(1);
        OperationLog log = journal.find(id).orElseThrow();
        ToyStage.Plan request = (ToyStage.Plan) log.spec().request();
        OperationOutcome outcome = new OperationRunner(journal, StageListener.NONE)
                .resume(log, ToyStage.plan(request))
                .run();

        Journal after = Journal.open(folder.resolve("journal"), ToyStage.FACTS);
        assertThat(after.unfinished()).isEmpty();
        assertThat(after.find(id).orElseThrow().outcome()).contains(outcome);
        return outcome;
    }

    private List<String> filesInWorld() throws IOException {
        try (Stream<Path> files = Files.list(world)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }
}
