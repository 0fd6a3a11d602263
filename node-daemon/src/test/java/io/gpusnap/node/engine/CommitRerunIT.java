package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.node.file.Folders;
import io.gpusnap.node.operation.StagePoint;
import io.gpusnap.node.store.SnapshotId;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The last stage of a suspend, which may run again long after it has done all, and which no number may make fail. */
class CommitRerunIT {

    private static final String PROMPT = "warm";

    @TempDir
    Path folder;

    private TestWorkload workload;
    private String answer;

    @BeforeEach
    void start() throws Exception {
        TestNatives.require();
        workload = TestWorkload.start(folder.resolve("workload"));
        answer = workload.answer(PROMPT);
    }

    @AfterEach
    void end() throws Exception {
        workload.close();
        TestNode.cleanUp(folder);
    }

    /** As a daemon leaves it that could not write to its journal that the suspend has succeeded. */
    private SnapshotId suspendedWithoutTheLastWord() throws Exception {
        SnapshotId snapshot = SnapshotId.random();
        DoomedDaemon.live(
                folder,
                "commit",
                StagePoint.RETURNED,
                "save",
                EngineId.SUSPEND.value(),
                snapshot.toString(),
                AfterSave.STOP.name(),
                Integer.toString(workload.process().pid()),
                Long.toString(workload.process().startTimeTicks()));
        return snapshot;
    }

    private List<Path> chunks() {
        try (Stream<Path> files = Files.walk(folder.resolve("nvme/chunks"))) {
            return files.filter(Files::isRegularFile).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Whoever asks for the size of one gets an error. */
    private void noSizeOf(List<Path> chunks) {
        try {
            for (Path chunk : chunks) {
                Files.move(chunk, kept(chunk));
                Files.createSymbolicLink(chunk, chunk.getFileName());
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Path kept(Path chunk) {
        return folder.resolve("kept-" + chunk.getFileName());
    }

    private void sizesAgain(List<Path> chunks) throws IOException {
        for (Path chunk : chunks) {
            Files.delete(chunk);
            Files.move(kept(chunk), chunk);
        }
    }

    @Test
    void aWorkloadThatRunsAgainIsNotSaidToBeSuspended() throws Exception {
        SnapshotId snapshot = suspendedWithoutTheLastWord();
        try (TestNode node = TestNode.open(folder)) {
            node.thaw(EngineId.SUSPEND, snapshot).succeeded();
            assertThat(Folders.list(folder.resolve("state/suspended"))).isEmpty();

            node.recover().succeeded();

            assertThat(Folders.list(folder.resolve("state/suspended"))).isEmpty();
            assertThat(workload.answer(PROMPT)).isEqualTo(answer);
        }
    }

    @Test
    void aSizeThatCannotBeReadDoesNotTakeTheSnapshotWhenItRunsAgain() throws Exception {
        SnapshotId snapshot = suspendedWithoutTheLastWord();
        List<Path> chunks = chunks();
        assertThat(chunks).isNotEmpty();
        noSizeOf(chunks);
        try (TestNode node = TestNode.open(folder)) {
            node.recover().succeeded();

            assertThat(node.engines().snapshots()).hasSize(1);
            sizesAgain(chunks);
            node.thaw(EngineId.SUSPEND, snapshot).succeeded();
            assertThat(workload.answer(PROMPT)).isEqualTo(answer);
        }
    }

    @Test
    void norDoesItWhenItRunsFirst() throws Exception {
        SnapshotId snapshot = SnapshotId.random();
        try (TestNode node = TestNode.open(folder)) {
            SaveOutcome outcome = node.suspend(
                            SuspendDepth.CONTEXT_RELEASED,
                            snapshot,
                            workload.process(),
                            new StageStarts("commit", () -> noSizeOf(chunks())))
                    .succeeded()
                    .fact(SaveOutcome.class);

            assertThat(outcome.copyBytes()).isNull();
            assertThat(outcome.workloadAlive()).isTrue();
        }
    }
}
