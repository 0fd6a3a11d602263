package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.gpusnap.node.file.Folders;
import io.gpusnap.node.process.ProcFs;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.process.ProcessTree;
import io.gpusnap.node.store.SnapshotId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Who is ended, and above all who is not, when a suspended process has ended. */
class LeftBehindTest {

    private static final ProcFs PROC = new ProcFs();
    private static final ProcessTree TREE = new ProcessTree(PROC);
    private static final SnapshotId SNAPSHOT = SnapshotId.random();

    @TempDir
    Path folder;

    private SuspendedProcesses suspended;
    private BusyWorkloads busy;
    private LeftBehind left;
    private ProcessId root;
    private ProcessId child;

    @BeforeEach
    void aSuspendedShellWithAChild() throws Exception {
        suspended = new SuspendedProcesses(folder, PROC);
        busy = new BusyWorkloads();
        left = new LeftBehind(suspended, busy, PROC);
        Process shell = new ProcessBuilder("/bin/sh", "-c", "sleep 1000 & wait").start();
        root = PROC.stat((int) shell.pid()).orElseThrow().id();
        await().until(() -> TREE.of(root).size() == 2);
        child = TREE.of(root).getLast();
        suspended.suspended(root, SNAPSHOT, TREE.of(root));
    }

    @AfterEach
    void end() throws Exception {
        TREE.end(root);
        TREE.end(child);
    }

    private void rootDies() {
        ProcessHandle.of(root.pid()).orElseThrow().destroyForcibly();
        await().until(() -> !PROC.isAlive(root));
    }

    private Path tree() {
        return folder.resolve(root.pid() + "-" + root.startTimeTicks() + ".tree");
    }

    private void rewriteTree(UnaryOperator<String> change) throws IOException {
        String before = Files.readString(tree());
        String after = change.apply(before);
        assertThat(after).isNotEqualTo(before);
        Files.writeString(tree(), after);
    }

    @Test
    void whatWaitsWithADeadOneIsEndedAndForgotten() throws Exception {
        rootDies();

        left.end();

        assertThat(PROC.isAlive(child)).isFalse();
        assertThat(Folders.list(folder)).isEmpty();
    }

    @Test
    void nothingIsEndedThatALivingOneWaitsWith() throws Exception {
        left.end();

        assertThat(List.of(root, child)).allMatch(PROC::isAlive);
        assertThat(suspended.processOf(SNAPSHOT)).contains(root);
    }

    @Test
    void whatRunsAgainMayLeaveRunningWhatItWill() throws Exception {
        suspended.forget(root);
        rootDies();

        left.end();

        assertThat(PROC.isAlive(child)).isTrue();
    }

    @Test
    void anOperationThatWorksOnItEndsItItself() throws Exception {
        busy.set(root, WorkloadInfo.State.SUSPENDED);
        rootDies();

        left.end();
        assertThat(PROC.isAlive(child)).isTrue();

        busy.clear(root);
        left.end();
        assertThat(PROC.isAlive(child)).isFalse();
    }

    @Test
    void anIdThatIsAnothersByNowIsLeftAlone() throws Exception {
        String mine = child.pid() + "-" + child.startTimeTicks();
        rewriteTree(text -> text.replace(mine, child.pid() + "-" + (child.startTimeTicks() - 1)));
        rootDies();

        left.end();

        assertThat(PROC.isAlive(child)).isTrue();
        assertThat(Folders.list(folder)).isEmpty();
    }

    @Test
    void namesFromBeforeTheMachineWasStartedAreNobodys() throws Exception {
        rewriteTree(text -> text.replace(PROC.bootId().orElseThrow(), "00000000-0000-4000-8000-000000000000"));
        rootDies();

        left.end();

        assertThat(PROC.isAlive(child)).isTrue();
        assertThat(Folders.list(folder)).isEmpty();
    }

    @Test
    void oneThatAnOlderDaemonSuspendedIsForgotten() throws Exception {
        Files.delete(tree());
        rootDies();

        left.end();

        assertThat(PROC.isAlive(child)).isTrue();
        assertThat(Folders.list(folder)).isEmpty();
    }

    @Test
    void aSnapshotThatCannotBeReadKeepsNobodyThere() throws Exception {
        Files.writeString(folder.resolve(root.pid() + "-" + root.startTimeTicks()), "not a snapshot");
        rootDies();

        left.end();

        assertThat(PROC.isAlive(child)).isFalse();
    }

    @Test
    void aMistakeInALookDoesNotEndTheNextOnes() throws Exception {
        AtomicInteger looks = new AtomicInteger();
        try (WatchThread watch = new WatchThread("test", Duration.ofMillis(10), goesOn -> {
            looks.incrementAndGet();
            throw new IllegalStateException("nobody expects this of a look");
        })) {
            watch.start();
            await().until(() -> looks.get() > 2);
        }
        assertThat(looks).hasValueGreaterThan(2);
    }
}
