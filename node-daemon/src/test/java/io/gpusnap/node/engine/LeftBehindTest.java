package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
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
        left = new LeftBehind(suspended, busy, PROC, processes -> false);
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

    /** As many as it takes to be certain, to kill, and to forget, and some more. */
    private void looks() {
        looks(left);
    }

    private static void looks(LeftBehind left) {
        for (int i = 0; i < 5; i++) {
            left.look();
            await().pollDelay(Duration.ofMillis(50)).until(() -> true);
        }
    }

    private Path entry() {
        return folder.resolve(root.pid() + "-" + root.startTimeTicks());
    }

    /** A /proc in which everything is as it is, but for the processes of this test: nobody has put them there. */
    private Path proc() throws IOException {
        Path proc = Files.createDirectory(folder.resolve("proc"));
        for (String name : List.of("1", "self", "sys")) {
            Files.createSymbolicLink(proc.resolve(name), Path.of("/proc").resolve(name));
        }
        return proc;
    }

    private LeftBehind seeing(Path proc) throws IOException {
        return new LeftBehind(
                new SuspendedProcesses(folder, ProcFs.at(proc)), busy, ProcFs.at(proc), processes -> false);
    }

    private void assertNothingHappened() throws IOException {
        assertThat(List.of(root, child)).allMatch(PROC::isAlive);
        assertThat(List.of(entry(), tree())).allMatch(Files::exists);
        assertThat(suspended.processOf(SNAPSHOT)).contains(root);
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

        looks();

        assertThat(PROC.isAlive(child)).isFalse();
        assertThat(Folders.list(folder)).isEmpty();
    }

    @Test
    void nothingIsEndedThatALivingOneWaitsWith() throws Exception {
        looks();

        assertThat(List.of(root, child)).allMatch(PROC::isAlive);
        assertThat(suspended.processOf(SNAPSHOT)).contains(root);
    }

    @Test
    void whatRunsAgainMayLeaveRunningWhatItWill() throws Exception {
        suspended.forget(root);
        rootDies();

        looks();

        assertThat(PROC.isAlive(child)).isTrue();
    }

    @Test
    void anOperationThatWorksOnItEndsItItself() throws Exception {
        busy.set(root, WorkloadInfo.State.SUSPENDED);
        rootDies();

        looks();
        assertThat(PROC.isAlive(child)).isTrue();

        busy.clear(root);
        looks();
        assertThat(PROC.isAlive(child)).isFalse();
    }

    @Test
    void anIdThatIsAnothersByNowIsLeftAlone() throws Exception {
        String mine = child.pid() + "-" + child.startTimeTicks();
        rewriteTree(text -> text.replace(mine, child.pid() + "-" + (child.startTimeTicks() - 1)));
        rootDies();

        looks();

        assertThat(PROC.isAlive(child)).isTrue();
        assertThat(Folders.list(folder)).isEmpty();
    }

    @Test
    void namesFromBeforeTheMachineWasStartedAreNobodys() throws Exception {
        rewriteTree(text -> text.replace(PROC.bootId().orElseThrow(), "00000000-0000-4000-8000-000000000000"));
        rootDies();

        looks();

        assertThat(PROC.isAlive(child)).isTrue();
        assertThat(Folders.list(folder)).isEmpty();
    }

    @Test
    void oneThatAnOlderDaemonSuspendedIsLeftAlone() throws Exception {
        Files.delete(tree());
        rootDies();

        looks();

        assertThat(PROC.isAlive(child)).isTrue();
        assertThat(entry()).exists();
        assertThat(suspended.processOf(SNAPSHOT)).as("and in nobody's way").isEmpty();
    }

    @Test
    void aProcessThatCannotBeReadHasNotEnded() throws Exception {
        Path proc = proc();
        Files.createDirectories(proc.resolve(root.pid() + "/stat"));

        looks(seeing(proc));

        assertNothingHappened();
        assertThat(new SuspendedProcesses(folder, ProcFs.at(proc)).processOf(SNAPSHOT))
                .as("its snapshot stays")
                .contains(root);
    }

    @Test
    void aProcessIsNotMissedWhereNobodyCanBeSeen() throws Exception {
        Path proc = proc();
        Files.delete(proc.resolve("1"));

        looks(seeing(proc));

        assertNothingHappened();
    }

    @Test
    void nobodyHasEndedWhereItIsNotKnownWhichBootThisIs() throws Exception {
        Path proc = proc();
        Files.delete(proc.resolve("sys"));
        Files.createDirectories(proc.resolve(root.pid() + "/stat"));

        looks(seeing(proc));

        assertNothingHappened();
    }

    @Test
    void oneThatWasMissedOnceOnlyHasNotEnded() throws Exception {
        Path proc = proc();
        LeftBehind left = seeing(proc);
        Path there = proc.resolve(Integer.toString(root.pid()));
        for (int i = 0; i < 3; i++) {
            left.look();
            Files.createSymbolicLink(there, Path.of("/proc/" + root.pid()));
            left.look();
            Files.delete(there);
        }

        assertNothingHappened();
    }

    @Test
    void whatEverIsReadTheFirstProcessIsNotKilled() throws Exception {
        Path proc = proc();

        looks(seeing(proc));

        assertThat(PROC.isAlive(root)).isTrue();
    }

    @Test
    void idsOfAnotherNamespaceAreNotMissedHere() throws Exception {
        String here = PROC.pidNamespace().orElseThrow();
        rewriteTree(text -> text.replace(here, "pid:[1]"));
        rootDies();

        looks();

        assertThat(PROC.isAlive(child)).isTrue();
        assertThat(List.of(entry(), tree())).allMatch(Files::exists);
        assertThat(suspended.processOf(SNAPSHOT)).as("its snapshot stays").contains(root);
    }

    @Test
    void namesThatCannotBeReadEndNobodyAndHideNobody() throws Exception {
        ProcessId gone = new ProcessId(root.pid(), root.startTimeTicks() - 1);
        suspended.suspended(gone, SnapshotId.random(), List.of(gone));
        Path broken = folder.resolve(gone.pid() + "-" + gone.startTimeTicks() + ".tree");
        Files.write(broken, new byte[] {(byte) 0xff, (byte) 0xfe});
        Files.writeString(folder.resolve("99999999999999-1"), SNAPSHOT.toString());
        rewriteTree(text -> text + "99999999999999-1\n");
        rootDies();

        looks();

        assertThat(PROC.isAlive(child)).isFalse();
        assertThat(List.of(entry(), tree())).noneMatch(Files::exists);
        assertThat(broken).exists();
    }

    @Test
    void whatCouldNotBeForgottenIsForgottenLaterAndEndsNobody() throws Exception {
        String names = Files.readString(tree());
        Files.delete(entry());
        Files.createDirectories(entry().resolve("keeps it from being deleted"));
        assertThatThrownBy(() -> suspended.forget(root)).isInstanceOf(IOException.class);
        assertThat(suspended.all()).isEmpty();
        // as a disk leaves it that cannot be written for a while
        Files.writeString(tree(), names);
        rootDies();

        looks();
        assertThat(PROC.isAlive(child)).isTrue();

        Folders.delete(entry());
        Files.writeString(entry(), SNAPSHOT.toString());
        looks();
        assertThat(PROC.isAlive(child)).isTrue();
        assertThat(Folders.list(folder)).isEmpty();
    }

    @Test
    void whatIsSuspendedAgainAfterItCouldNotBeForgottenCounts() throws Exception {
        Files.delete(entry());
        Files.createDirectories(entry().resolve("keeps it from being deleted"));
        assertThatThrownBy(() -> suspended.forget(root)).isInstanceOf(IOException.class);
        Folders.delete(entry());

        suspended.suspended(root, SNAPSHOT, TREE.of(root));
        looks();

        assertNothingHappened();
    }

    @Test
    void oneThatAnEarlierDaemonCouldNotForgetIsForgottenWhileItRuns() throws Exception {
        LeftBehind next = new LeftBehind(suspended, busy, PROC, List.of(root, child)::equals);

        next.look();
        assertThat(Folders.list(folder)).isEmpty();

        rootDies();
        looks(next);
        assertThat(PROC.isAlive(child)).isTrue();
    }

    @Test
    void whatWasLeftByOneThatHadBeenResumedIsNotEnded() throws Exception {
        rootDies();

        looks(new LeftBehind(suspended, busy, PROC, List.of(child)::equals));

        assertThat(PROC.isAlive(child)).isTrue();
        assertThat(Folders.list(folder)).isEmpty();
    }

    @Test
    void aSnapshotThatCannotBeReadKeepsNobodyThere() throws Exception {
        Files.writeString(folder.resolve(root.pid() + "-" + root.startTimeTicks()), "not a snapshot");
        rootDies();

        looks();

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
