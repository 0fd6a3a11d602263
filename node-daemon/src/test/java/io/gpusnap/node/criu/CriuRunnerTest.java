package io.gpusnap.node.criu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.gpusnap.node.process.ProcFs;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.process.ProcessTree;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CriuRunnerTest {

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
        // given a process that counts into a file, started by this JVM, in the JVM's session
        Process started = counter();
        // when
        criu.dump(workload.pid(), images, true);
        // then
        assertThat(criu.isDumped(images)).isTrue();
        assertThat(proc.stat(workload.pid()).orElseThrow().isStopped()).isTrue();

        // when it ends, and this JVM has reaped it
        List<ProcessId> dumped = new ProcessTree(proc).of(workload);
        new ProcessTree(proc).end(workload);
        assertThat(started.waitFor(10, TimeUnit.SECONDS)).isTrue();
        Awaitility.await()
                .until(() -> dumped.stream()
                        .allMatch(process -> proc.stat(process.pid()).isEmpty()));
        int count = count();
        int pid = criu.restore(images, true);
        // then it is there again, stopped, and goes on where it was
        assertThat(pid).isEqualTo(workload.pid());
        ProcessId restored = proc.stat(pid).orElseThrow().id();
        assertThat(proc.stat(pid).orElseThrow().isStopped()).isTrue();
        assertThat(criu.restoredPid(images)).contains(pid);
        workload = restored;
        new ProcessTree(proc).resume(restored);
        Awaitility.await().until(() -> count() > count);
    }

    @Test
    void aDumpedTreeGoesOnWhenItIsTold() throws Exception {
        counter();
        criu.dump(workload.pid(), images, true);
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
        counter();
        criu.dump(workload.pid(), images, true);
        assertThatExceptionOfType(CriuException.class)
                .isThrownBy(() -> criu.restore(images, true))
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

    private Process counter() throws Exception {
        Process process = new ProcessBuilder(
                        "/bin/sh",
                        "-c",
                        "n=0; while :; do n=$((n+1)); echo $n > count.tmp; mv count.tmp count; sleep 0.02; done")
                .directory(folder.toFile())
                .redirectInput(Path.of("/dev/null").toFile())
                .redirectErrorStream(true)
                .redirectOutput(
                        ProcessBuilder.Redirect.appendTo(folder.resolve("log").toFile()))
                .start();
        workload = proc.stat((int) process.pid()).orElseThrow().id();
        Awaitility.await().until(() -> Files.exists(folder.resolve("count")));
        return process;
    }

    private int count() throws Exception {
        return Integer.parseInt(Files.readString(folder.resolve("count")).trim());
    }
}
