package io.gpusnap.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProcessesTest {

    @TempDir
    Path folder;

    private Launcher launcher;

    @BeforeEach
    void open() {
        launcher = new Launcher(folder);
    }

    @AfterEach
    void close() {
        launcher.stopAll();
    }

    @Test
    void stopAllEndsEvenWhatIgnoresAPoliteRequest() {
        Started stubborn = launcher.start("stubborn", List.of("bash", "-c", "trap '' TERM; sleep 60"), Map.of());

        stubborn.stop(false, 10);

        assertThat(stubborn.alive()).isFalse();
    }

    @Test
    void anEndedProcessIsReportedWithTheEndOfItsLog() {
        Started broken = launcher.start(
                "broken", List.of("bash", "-c", "echo port 80 is taken; read -t 0.3 <> <(:); exit 1"), Map.of());
        broken.awaitEnd(10);

        assertThatThrownBy(broken::requireAlive)
                .hasMessageContaining("broken")
                .hasMessageContaining("port 80 is taken");
    }

    @Test
    void logsAreTheirOwnersAlone() throws IOException {
        Started printing =
                launcher.start("printing", List.of("bash", "-c", "echo a secret; read -t 0.3 <> <(:)"), Map.of());
        printing.awaitEnd(10);

        assertThat(Files.readString(printing.log())).isEqualTo("a secret\n");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(printing.log())))
                .isEqualTo("rw-------");
    }

    @Test
    void theStopScriptEndsWhatWasLeftAndRemovesItself() {
        Started left = launcher.start("left", List.of("sleep", "60"), Map.of());
        StopScript script = new StopScript(folder);
        script.write(launcher.running(), List.of(folder.resolve("memory")));

        script.run();

        assertThat(left.alive()).isFalse();
        assertThat(script.exists()).isFalse();
    }

    @Test
    void theStopScriptLeavesALaterProcessWithTheSamePidAlone() {
        Started other = launcher.start("other", List.of("sleep", "60"), Map.of());
        StopScript script = new StopScript(folder);
        script.write(List.of(new Started("gone", other.pid(), other.startTimeTicks() - 1, other.log())), List.of());

        script.run();

        assertThat(other.alive()).isTrue();
    }

    @Test
    void nothingIsStartedOnceTheDemoIsBeingEnded() {
        launcher.stopAll();

        assertThatThrownBy(() -> launcher.start("late", List.of("true"), Map.of()))
                .isInstanceOf(DemoFailure.class);
    }
}
