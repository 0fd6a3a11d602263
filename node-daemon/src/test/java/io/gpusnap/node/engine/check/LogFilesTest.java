package io.gpusnap.node.engine.check;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.node.store.Manifest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LogFilesTest {

    @TempDir
    Path folder;

    @Test
    void aMissingLogIsMadeWithItsLength() throws Exception {
        prepare("w", 1000);
        assertThat(folder.resolve("log")).hasSize(1000);
    }

    @Test
    void aLogThatGrewIsSetAsideAndItsBeginningStays() throws Exception {
        Files.writeString(folder.resolve("log"), "before\nafter\n");
        prepare("w", 7);
        assertThat(folder.resolve("log")).hasContent("before\n");
        assertThat(aside()).singleElement().satisfies(file -> assertThat(file).hasContent("before\nafter\n"));
    }

    @Test
    void aLogThatShrankGetsItsLengthBack() throws Exception {
        Files.writeString(folder.resolve("log"), "new");
        prepare("w", 100);
        assertThat(folder.resolve("log")).hasSize(100);
        assertThat(aside()).singleElement().satisfies(file -> assertThat(file).hasContent("new"));
    }

    @Test
    void whatIsAppendedToOrReadOrFitsIsLeftAlone() throws Exception {
        Files.writeString(folder.resolve("log"), "grown by others");
        prepare("a", 3);
        prepare("r", 3);
        prepare("rw", 3);
        prepare("w", "grown by others".length());
        assertThat(folder.resolve("log")).hasContent("grown by others");
        assertThat(aside()).isEmpty();
    }

    private List<Path> aside() throws Exception {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.getFileName().toString().startsWith("log.before-thaw-"))
                    .toList();
        }
    }

    private void prepare(String mode, long size) throws Exception {
        int uid = (Integer) Files.getAttribute(folder, "unix:uid");
        int gid = (Integer) Files.getAttribute(folder, "unix:gid");
        LogFiles.prepare(new Manifest.ProcessImage(
                "chat",
                1,
                1,
                List.of(1),
                true,
                "/bin/true",
                List.of(),
                "/",
                uid,
                gid,
                List.of(),
                List.of(new Manifest.OpenFile(1, folder.resolve("log").toString(), size, mode)),
                List.of(),
                List.of(),
                List.of()));
    }
}
