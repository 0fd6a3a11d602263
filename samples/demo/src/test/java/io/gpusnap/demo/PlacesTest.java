package io.gpusnap.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PlacesTest {

    @TempDir
    Path folder;

    @Test
    void demosOfTwoCheckoutsDoNotShareMemory() throws IOException {
        Path one = Files.createDirectory(folder.resolve("one"));
        Path other = Files.createDirectory(folder.resolve("other"));
        Path link = Files.createSymbolicLink(folder.resolve("link"), one);

        assertThat(Places.memoryName(one)).isNotEqualTo(Places.memoryName(other));
        assertThat(Places.memoryName(link)).isEqualTo(Places.memoryName(one));
    }
}
