package io.gpusnap.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MemoryFileSystemTest {

    @TempDir
    Path folder;

    private Path place;

    @BeforeEach
    void requireRoot() throws Exception {
        place = Files.createDirectory(folder.resolve("a place"));
        boolean mayMount = Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith("CapEff:"))
                .anyMatch(line -> (Long.parseUnsignedLong(line.substring(7).strip(), 16) >> 21 & 1) == 1);
        assumeTrue(mayMount, "to mount a file system takes CAP_SYS_ADMIN");
    }

    @AfterEach
    void takeDown() throws Exception {
        if (Files.getFileStore(place).name().equals("gpusnap-test")) {
            MemoryFileSystem.unmount(place);
        }
    }

    @Test
    void whatIsWrittenThereIsGoneWithIt() throws Exception {
        // when
        MemoryFileSystem.mount("gpusnap-test", place, "size=8m,mode=0700");
        Files.writeString(place.resolve("file"), "text");
        // then
        assertThat(Files.getFileStore(place).type()).isEqualTo("tmpfs");
        assertThat(Files.getFileStore(place).getTotalSpace()).isEqualTo(8 << 20);
        assertThat(Files.readAllLines(Path.of("/proc/self/mounts")))
                .filteredOn(line -> line.startsWith("gpusnap-test "))
                .singleElement()
                .satisfies(line -> assertThat(line).contains("nosuid", "nodev", "noexec"));

        MemoryFileSystem.unmount(place);
        assertThat(place).isEmptyDirectory();
    }

    @Test
    void whatIsInUseStays() throws Exception {
        MemoryFileSystem.mount("gpusnap-test", place, "size=8m");
        try (FileChannel file =
                FileChannel.open(place.resolve("file"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            assertThatThrownBy(() -> MemoryFileSystem.unmount(place))
                    .isInstanceOf(FileSystemException.class)
                    .hasMessage(place + ": it is in use");
            assertThat(place.resolve("file")).exists();
        }
    }

    @Test
    void whatTheKernelDoesNotKnowIsRefusedWithTheReason() {
        assertThatThrownBy(() -> MemoryFileSystem.mount("gpusnap-test", place, "no-such-option"))
                .isInstanceOf(FileSystemException.class)
                .hasMessageContaining("does not know an option");
        assertThatThrownBy(() -> MemoryFileSystem.unmount(place))
                .isInstanceOf(FileSystemException.class)
                .hasMessageContaining("nothing is mounted there");
        assertThatThrownBy(() -> MemoryFileSystem.mount("gpusnap-test", place.resolve("none"), "size=8m"))
                .isInstanceOf(FileSystemException.class)
                .hasMessageContaining("error number 2");
    }
}
