package io.gpusnap.node.criu;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class CriuVersionTest {

    @Test
    void versionsAreReadAndOrdered() {
        CriuVersion version = CriuVersion.parse("Version: 4.1.1\nGitID: v4.1\n").orElseThrow();
        assertThat(version).isEqualTo(new CriuVersion(4, 1, 1)).hasToString("4.1.1");
        assertThat(CriuVersion.parse("Version: 4.2").orElseThrow())
                .isGreaterThan(version)
                .hasToString("4.2");
        assertThat(new CriuVersion(3, 17, 1)).isLessThan(version);
        assertThat(CriuVersion.parse("criu: not found")).isEmpty();
    }

    @Test
    void newerKernelsTakeANewerCriu() {
        assertThat(CriuVersion.minimumFor("6.1.0-37-amd64")).isEqualTo(new CriuVersion(4, 1, 0));
        assertThat(CriuVersion.minimumFor("6.15.9")).isEqualTo(new CriuVersion(4, 1, 0));
        assertThat(CriuVersion.minimumFor("6.16.0")).isEqualTo(new CriuVersion(4, 2, 0));
        assertThat(CriuVersion.minimumFor("7.0.1")).isEqualTo(new CriuVersion(4, 2, 0));
    }

    @Test
    void aMissingProgramIsNotAvailableAndTheReasonSaysWhatToDo() throws Exception {
        CriuProbe probe = new CriuRunner("/nonexistent/criu", Duration.ofSeconds(5)).probe();
        assertThat(probe.available()).isFalse();
        assertThat(probe.reason()).contains("/nonexistent/criu").contains("criu.path");
    }
}
