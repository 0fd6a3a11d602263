package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.gpusnap.node.process.ProcFs;
import io.gpusnap.node.process.ProcessId;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class HalfMadeTest {

    private static final ProcFs PROC = new ProcFs();
    private static final long NOBODY = 65534;

    private Process started;
    private String sleep;

    @BeforeEach
    void findSleep() throws Exception {
        sleep = Path.of("/bin/sleep").toRealPath().toString();
    }

    @AfterEach
    void endStarted() {
        started.destroyForcibly();
    }

    @Test
    void theSavedProcessMadeAgainIsEnded() throws Exception {
        ProcessId process = start("/bin/sleep", "1000");

        end(new RestoreBegun(0, List.of(process.pid()), "chat", sleep, NOBODY));

        assertThat(PROC.isAlive(process)).isFalse();
    }

    @Test
    void anotherExecutableUnderTheSameNameIsLeftAlone() throws Exception {
        ProcessId process = start("/bin/sleep", "1000");

        end(new RestoreBegun(0, List.of(process.pid()), "chat", "/usr/bin/server", NOBODY));

        assertThat(PROC.isAlive(process)).isTrue();
    }

    @Test
    void aProcessOfAnotherUserIsLeftAlone() throws Exception {
        assumeThat(PROC.status((int) ProcessHandle.current().pid(), "Uid").orElse(""))
                .as("needs root, to start a process of another user")
                .startsWith("0\t");
        ProcessId process = start("/usr/bin/setpriv", "--reuid=" + NOBODY, "--clear-groups", "/bin/sleep", "1000");

        end(new RestoreBegun(0, List.of(process.pid()), "chat", sleep, 4711));
        assertThat(PROC.isAlive(process)).isTrue();

        end(new RestoreBegun(0, List.of(process.pid()), "chat", sleep, NOBODY));
        assertThat(PROC.isAlive(process)).isFalse();
    }

    @Test
    void whatWasThereBeforeIsLeftAlone() throws Exception {
        ProcessId process = start("/bin/sleep", "1000");

        end(new RestoreBegun(process.startTimeTicks() + 1, List.of(process.pid()), "chat", sleep, NOBODY));

        assertThat(PROC.isAlive(process)).isTrue();
    }

    private ProcessId start(String... command) throws Exception {
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().putAll(Map.of("GPUSNAP_WORKLOAD", "chat"));
        started = builder.start();
        int pid = (int) started.pid();
        Awaitility.await().until(() -> PROC.commandLine(pid).equals(List.of("/bin/sleep", "1000")));
        return PROC.stat(pid).orElseThrow().id();
    }

    private static void end(RestoreBegun begun) throws Exception {
        new HalfMade(PROC, Path.of("/no/such/images")).end(begun);
    }
}
