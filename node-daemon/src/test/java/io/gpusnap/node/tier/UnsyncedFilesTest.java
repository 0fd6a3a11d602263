package io.gpusnap.node.tier;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class UnsyncedFilesTest {

    private static final Path FILE = Path.of("file");
    private static final Path OTHER = Path.of("other");

    private final ConcurrentLinkedQueue<Path> synced = new ConcurrentLinkedQueue<>();
    private final UnsyncedFiles files = new UnsyncedFiles(synced::add);

    @Test
    void eachIsSyncedOnceWhateverOftenItWasAdded() throws Exception {
        files.add(FILE);
        files.add(FILE);
        files.add(OTHER);
        files.sync();
        files.sync();
        assertThat(synced).containsExactlyInAnyOrder(FILE, OTHER);
    }

    @Test
    void whatIsWrittenWhileItIsSyncedIsSyncedNextTime() throws Exception {
        // given
        List<UnsyncedFiles> self = new ArrayList<>();
        UnsyncedFiles written = new UnsyncedFiles(file -> {
            if (synced.isEmpty()) {
                self.getFirst().add(file);
            }
            synced.add(file);
        });
        self.add(written);
        written.add(FILE);
        // when
        written.sync();
        written.sync();
        written.sync();
        // then
        assertThat(synced).containsExactly(FILE, FILE);
    }

    @Test
    void aFailureIsTheCallersAndTheOthersAreDurableNonetheless() throws Exception {
        // given
        boolean[] failing = {true};
        UnsyncedFiles onADyingDrive = new UnsyncedFiles(file -> {
            if (failing[0] && file.equals(FILE)) {
                throw new IOException("Input/output error");
            }
            synced.add(file);
        });
        onADyingDrive.add(FILE);
        onADyingDrive.add(OTHER);
        // when, then
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(onADyingDrive::sync)
                .withMessage("Input/output error");
        assertThat(synced).containsExactly(OTHER);
        failing[0] = false;
        onADyingDrive.sync();
        assertThat(synced).containsExactly(OTHER, FILE);
    }

    @Test
    void whatIsGoneNeedsNoSync() throws Exception {
        UnsyncedFiles gone = new UnsyncedFiles(file -> {
            synced.add(file);
            throw new NoSuchFileException(file.toString());
        });
        gone.add(FILE);
        gone.sync();
        gone.sync();
        assertThat(synced).as("asked for once, and not again").containsExactly(FILE);
    }

    @Test
    void whoNeverSyncsKeepsABoundedNumberWaiting() throws Exception {
        for (Path file : IntStream.range(0, UnsyncedFiles.MOST)
                .mapToObj(i -> Path.of("file-" + i))
                .toList()) {
            files.add(file);
        }
        assertThat(synced).hasSize(UnsyncedFiles.MOST);
    }
}
