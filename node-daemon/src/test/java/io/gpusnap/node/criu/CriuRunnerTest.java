package io.gpusnap.node.criu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.gpusnap.node.process.ProcFs;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.process.ProcessTree;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CriuRunnerTest {

    private static final String COUNTER =
            "n=0; while :; do n=$((n+1)); echo $n > count.tmp; mv count.tmp count; sleep 0.02; done";

    @TempDir
    Path folder;

    private final ProcFs proc = new ProcFs();
    private CriuRunner criu;
    private Path images;
    private ProcessId workload;

    @BeforeEach
    void findCriu() throws Exception {
        criu = TestCriu.require();
        images = Files.createDirectories(folder.resolve("images"));
    }

    @AfterEach
    void endWorkload() throws Exception {
        if (workload != null) {
            new ProcessTree(proc).end(workload);
        }
    }

    @Test
    void aChildOfThisJvmIsDumpedAndRestoredUnderItsPid() throws Exception {
        // given a process that counts into a file, started by this JVM, in a session of its own
        Process started = counter("setsid");
        // when
        criu.dump(workload.pid(), images, false);
        // then
        assertThat(criu.isDumped(images)).isTrue();
        awaitStopped(workload.pid());

        // when it ends, and this JVM has reaped it
        endAndAwaitReaping();
        assertThat(started.waitFor(10, TimeUnit.SECONDS)).isTrue();
        int count = count();
        int pid = criu.restore(images, false);
        // then it is there again, stopped, and goes on where it was
        assertThat(pid).isEqualTo(workload.pid());
        ProcessId restored = proc.stat(pid).orElseThrow().id();
        awaitStopped(pid);
        assertThat(criu.restoredPid(images)).contains(pid);
        workload = restored;
        new ProcessTree(proc).resume(restored);
        Awaitility.await().until(() -> count() > count);
    }

    @Test
    void aJobOfASessionIsRestoredIntoTheSessionOfWhoeverRestores() throws Exception {
        // given a process that leads no session; its leader reaps it
        Process leader = leaderOfACounter();
        int session = proc.stat(workload.pid()).orElseThrow().session();
        assertThat(session).isEqualTo((int) leader.pid());
        criu.dump(workload.pid(), images, true);
        endAndAwaitReaping();
        assertThat(leader.waitFor(10, TimeUnit.SECONDS)).isTrue();
        int count = count();
        // when a CRIU that leads a session restores it: this JVM's own may be led from outside of the PID namespace
        int pid = new CriuRunner(leadingItsSession().toString(), Duration.ofSeconds(60)).restore(images, true);
        // then it goes on, in that session
        assertThat(pid).isEqualTo(workload.pid());
        workload = proc.stat(pid).orElseThrow().id();
        assertThat(proc.stat(pid).orElseThrow().session()).isNotIn(0, session, pid);
        new ProcessTree(proc).resume(workload);
        Awaitility.await().until(() -> count() > count);
    }

    @Test
    void aDumpedTreeGoesOnWhenItIsTold() throws Exception {
        counter("setsid");
        criu.dump(workload.pid(), images, false);
        int count = count();
        new ProcessTree(proc).resume(workload);
        Awaitility.await().until(() -> count() > count);
    }

    @Test
    void aDumpThatIsRefusedNamesCriusOwnReasonAndLeavesTheProcess() throws Exception {
        // given a process that is no session leader, dumped as if it were
        counter();
        // when, then
        assertThatExceptionOfType(CriuException.class)
                .isThrownBy(() -> criu.dump(workload.pid(), images, false))
                .withMessageContaining("criu dump failed")
                .withMessageContaining("Error (");
        assertThat(criu.isDumped(images)).isFalse();
        int count = count();
        Awaitility.await().until(() -> count() > count);
    }

    @Test
    void aRestoreOntoATakenPidFailsWithTheReason() throws Exception {
        counter("setsid");
        criu.dump(workload.pid(), images, false);
        assertThatExceptionOfType(CriuException.class)
                .isThrownBy(() -> criu.restore(images, false))
                .withMessageContaining("criu restore failed");
        assertThat(proc.isAlive(workload)).isTrue();
    }

    @Test
    void anEmptyFolderIsNoDump() throws Exception {
        assertThat(criu.isDumped(images)).isFalse();
        assertThat(criu.restoredPid(images)).isEmpty();
        assertThatExceptionOfType(CriuException.class).isThrownBy(() -> criu.restore(images, false));
    }

    @Test
    void aCriuThatAnEarlierLifeLeftBehindIsAwaitedOrEnded() throws Exception {
        // given something that looks like a CRIU at work on the folder
        Process fake = new ProcessBuilder(
                        "/bin/sh",
                        "-c",
                        "read forever",
                        "criu",
                        "--images-dir",
                        images.toAbsolutePath().toString())
                .start();
        CriuRunner impatient = new CriuRunner("criu", Duration.ofSeconds(1));
        // when, then
        assertThat(impatient.awaitOrphans(images)).isTrue();
        assertThat(fake.waitFor(10, TimeUnit.SECONDS)).isTrue();
        assertThat(impatient.awaitOrphans(images)).isFalse();
        impatient.endOrphans(images);
    }

    /** Counts into a file. {@code setsid} as prefix runs it as the leader of a session, under the same pid. */
    private Process counter(String... prefix) throws Exception {
        List<String> command = new ArrayList<>(List.of(prefix));
        command.addAll(List.of("/bin/sh", "-c", COUNTER));
        Process process = start(command);
        Awaitility.await().until(() -> Files.exists(folder.resolve("count")));
        workload = proc.stat((int) process.pid()).orElseThrow().id();
        return process;
    }

    /** Leads a session, and ends when its child, a counter, has ended. */
    private Process leaderOfACounter() throws Exception {
        Process leader = start(
                List.of("setsid", "/bin/sh", "-c", "(" + COUNTER + ") & echo $! > pid.tmp; mv pid.tmp pid; wait"));
        Awaitility.await().until(() -> Files.exists(folder.resolve("pid")) && Files.exists(folder.resolve("count")));
        int pid = Integer.parseInt(Files.readString(folder.resolve("pid")).trim());
        workload = proc.stat(pid).orElseThrow().id();
        return leader;
    }

    /** A pid is free only when its process has been reaped. */
    private void endAndAwaitReaping() throws Exception {
        List<ProcessId> dumped = new ProcessTree(proc).of(workload);
        new ProcessTree(proc).end(workload);
        Awaitility.await()
                .until(() -> dumped.stream()
                        .allMatch(process -> proc.stat(process.pid()).isEmpty()));
    }

    private Process start(List<String> command) throws Exception {
        return new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectInput(Path.of("/dev/null").toFile())
                .redirectErrorStream(true)
                .redirectOutput(
                        ProcessBuilder.Redirect.appendTo(folder.resolve("log").toFile()))
                .start();
    }

    private Path leadingItsSession() throws Exception {
        String program = TestCriu.path().map(Path::toString).orElse("criu");
        Path script = Files.writeString(
                folder.resolve("criu-in-a-session"), "#!/bin/sh\nexec setsid '%s' \"$@\"\n".formatted(program));
        assertThat(script.toFile().setExecutable(true)).isTrue();
        return script;
    }

    /** A moment after CRIU has ended: it lets go of a process, and the signal that stops it comes then. */
    private void awaitStopped(int pid) {
        Awaitility.await().until(() -> proc.stat(pid).orElseThrow().isStopped());
    }

    private int count() throws Exception {
        return Integer.parseInt(Files.readString(folder.resolve("count")).trim());
    }
}
