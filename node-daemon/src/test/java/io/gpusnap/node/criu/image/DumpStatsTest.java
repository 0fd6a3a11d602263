package io.gpusnap.node.criu.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DumpStatsTest {

    /** CRIU 4.2.1, of a process that sleeps. */
    private static final String REAL = "405910550633095721000000" // magics and size
            + "0a1f089b0110a01f188e0220482839300038" // up to pages_written
            + "1e40004800500658066000680070" // the rest of it
            + "00";

    @TempDir
    Path folder;

    @Test
    void whatCriuWroteIsRead() throws Exception {
        Files.write(folder.resolve("stats-dump"), HexFormat.of().parseHex(REAL));

        assertThat(DumpStats.in(folder))
                .contains(new DumpStats(
                        Duration.ofNanos(155_000),
                        Duration.ofNanos(4_000_000),
                        Duration.ofNanos(270_000),
                        Duration.ofNanos(72_000),
                        30));
    }

    @Test
    void whatCannotBeReadTellsNothing() throws Exception {
        assertThat(DumpStats.in(folder)).isEmpty();

        byte[] real = HexFormat.of().parseHex(REAL);
        for (int length = 0; length < real.length; length++) {
            Files.write(folder.resolve("stats-dump"), Arrays.copyOf(real, length));
            assertThat(DumpStats.in(folder)).as("%d bytes", length).isEmpty();
        }
    }
}
