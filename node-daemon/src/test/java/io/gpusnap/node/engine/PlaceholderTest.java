package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.node.process.PlaceholderState;
import io.gpusnap.node.process.ProcFs;
import io.gpusnap.node.process.ProcessId;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The small init that a placeholder is, outside of a container. */
class PlaceholderTest {

    private static final ProcFs PROC = new ProcFs();

    private record Ended(int status, String output) {}

    @BeforeEach
    void natives() {
        TestNatives.require();
    }

    private static Process start(String... arguments) throws Exception {
        List<String> command = new ArrayList<>(
                List.of(TestNatives.folder().resolve("gpusnap-placeholder").toString()));
        command.addAll(List.of(arguments));
        return new ProcessBuilder(command).redirectErrorStream(true).start();
    }

    private static Ended end(Process process) throws Exception {
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Ended(process.waitFor(), output);
    }

    private static Process awaitState(Process process, PlaceholderState state) {
        ProcessId id = PROC.stat((int) process.pid()).orElseThrow().id();
        Awaitility.await()
                .until(() -> PlaceholderState.of(PROC, id).filter(state::equals).isPresent());
        return process;
    }

    @Test
    void endsAsItsCommandEnds() throws Exception {
        assertThat(end(start("--", "sh", "-c", "exit 7")).status()).isEqualTo(7);
        assertThat(end(start("sh", "-c", "kill -9 $$")).status()).isEqualTo(128 + 9);
    }

    @Test
    void theCommandLeadsASessionOfItsOwn() throws Exception {
        assertThat(end(start("sh", "-c", "test \"$(cut -d' ' -f6 /proc/$$/stat)\" = $$"))
                        .status())
                .isZero();
    }

    @Test
    void aCommandThatIsNotThereIsNamed() throws Exception {
        Ended ended = end(start("/no/such/command"));
        assertThat(ended.status()).isEqualTo(127);
        assertThat(ended.output()).contains("/no/such/command").contains("No such file");
    }

    @Test
    void aWrongFlagIsRefusedWithTheUsage() throws Exception {
        assertThat(end(start("--wait", "soon", "true")).output()).contains("--wait must be whole seconds");
        assertThat(end(start("--what", "true")).output())
                .contains("no flag --what")
                .contains("usage:");
        assertThat(end(start("--wait", "5")).output()).contains("no command");
    }

    @Test
    void signalsReachTheCommand() throws Exception {
        Process process = awaitState(
                start("sh", "-c", "trap 'echo asked; exit 3' TERM; echo up; while :; do sleep 0.05; done"),
                PlaceholderState.RUNNING);
        // The trap is set once it has said that it is up.
        process.getInputStream().read();
        process.toHandle().destroy(); // the process would close its streams
        Ended ended = end(process);
        assertThat(ended.output()).contains("asked");
        assertThat(ended.status()).isEqualTo(3);
    }

    @Test
    void oneThatWaitsEndsWhenItIsAskedTo() throws Exception {
        Process process = awaitState(start("--wait", "100", "true"), PlaceholderState.WAITING);
        process.toHandle().destroy(); // the process would close its streams
        assertThat(end(process).status()).isEqualTo(128 + 15);
    }

    @Test
    void startsColdWhenNobodyComes() throws Exception {
        Ended ended = end(start("--wait", "1", "--", "echo", "cold"));
        assertThat(ended.output()).contains("in time").endsWith("cold\n");
        assertThat(ended.status()).isZero();
    }

    @Test
    void aSignalFromBesideItIsNoClaim() throws Exception {
        // given one that waits, in the PID namespace of whoever signals
        Process process = awaitState(start("--wait", "5", "--", "echo", "cold"), PlaceholderState.WAITING);
        // when
        new ProcessBuilder("kill", "-36", Long.toString(process.pid())).start().waitFor();
        // then it does not wait any longer for that
        assertThat(end(process).output()).contains("in time").endsWith("cold\n");
    }
}
