package io.gpusnap.node.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Over a /proc of our own: pids cannot be made to come round in a real one. */
class ProcessTreeTest {

    @TempDir
    Path folder;

    private ProcessTree tree;

    @BeforeEach
    void open() {
        tree = new ProcessTree(new ProcFs(folder));
    }

    @Test
    void everythingThatDescendsFromTheRootBelongsToItsTree() throws Exception {
        process(100, 1, 10);
        process(101, 100, 11);
        process(102, 101, 12);
        process(200, 1, 13);

        assertThat(tree.of(new ProcessId(100, 10)))
                .containsExactly(new ProcessId(100, 10), new ProcessId(101, 11), new ProcessId(102, 12));
    }

    @Test
    void childrenOfWhoeverGotThePidOfADeadMemberAreNobodyOfOurs() throws Exception {
        ProcessId root = new ProcessId(100, 10);
        ProcessId dead = new ProcessId(101, 11);
        process(100, 1, 10);
        process(101, 1, 5000);
        process(102, 101, 5001);
        process(103, 100, 12);

        assertThat(tree.descend(Set.of(root, dead))).containsExactlyInAnyOrder(root, dead, new ProcessId(103, 12));
    }

    private void process(int pid, int parent, long startTimeTicks) throws IOException {
        Path own = Files.createDirectories(folder.resolve(Integer.toString(pid)));
        String between = " 0".repeat(17);
        Files.writeString(
                own.resolve("stat"),
                "%d (some server) S %d%s %d 0 0\n".formatted(pid, parent, between, startTimeTicks));
    }
}
