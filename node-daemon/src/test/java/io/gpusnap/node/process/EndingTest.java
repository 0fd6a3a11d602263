package io.gpusnap.node.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** {@link ProcessTree} ends real processes. */
class EndingTest {

    private static final ProcFs PROC = new ProcFs();

    private final ProcessTree tree = new ProcessTree(PROC);
    private final List<Process> started = new ArrayList<>();

    @AfterEach
    void endStarted() {
        started.forEach(process -> {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        });
    }

    @Test
    void whoeverHasThePidOfOneThatIsGoneIsLeftAlone() throws Exception {
        ProcessId stranger = start("sleep", "1000");
        ProcessId gone = new ProcessId(stranger.pid(), stranger.startTimeTicks() - 1);

        tree.end(Set.of(gone));

        assertThat(PROC.isAlive(stranger)).isTrue();
    }

    @Test
    void eachThatIsLeftEndsWithWhatDescendsFromItThoughAnotherIsGone() throws Exception {
        ProcessId gone = start("sleep", "1000");
        tree.end(gone);
        ProcessId left = start("sh", "-c", "sleep 1000 & wait");
        ProcessId child = Awaitility.await()
                .until(() -> tree.of(left), all -> all.size() == 2)
                .getLast();

        tree.end(Set.of(gone, left));

        assertThat(PROC.isAlive(left)).isFalse();
        assertThat(PROC.isAlive(child)).isFalse();
    }

    private ProcessId start(String... command) throws IOException {
        Process process = new ProcessBuilder(command).start();
        started.add(process);
        return PROC.stat((int) process.pid()).orElseThrow().id();
    }
}
