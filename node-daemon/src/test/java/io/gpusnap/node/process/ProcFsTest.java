package io.gpusnap.node.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProcFsTest {

    private static final int SELF = (int) ProcessHandle.current().pid();

    @TempDir
    Path folder;

    private final ProcFs proc = new ProcFs();
    private Process started;

    @AfterEach
    void endStarted() {
        if (started != null) {
            started.descendants().forEach(ProcessHandle::destroyForcibly);
            started.destroyForcibly();
        }
    }

    @Test
    void aProcessIsDescribed() throws Exception {
        // given
        ProcessBuilder builder = new ProcessBuilder("/bin/sleep", "1000")
                .directory(folder.toFile())
                .redirectOutput(
                        ProcessBuilder.Redirect.appendTo(folder.resolve("log").toFile()));
        builder.environment().put("GPUSNAP_WORKLOAD", "chat");
        started = builder.start();
        int pid = (int) started.pid();
        Awaitility.await().until(() -> proc.commandLine(pid).contains("1000"));
        // when, then
        assertThat(proc.commandLine(pid)).containsExactly("/bin/sleep", "1000");
        assertThat(proc.link(pid, "cwd")).contains(folder.toRealPath().toString());
        assertThat(proc.environment(pid)).containsEntry("GPUSNAP_WORKLOAD", "chat");
        assertThat(proc.ownPid(pid)).isEqualTo(pid);
        assertThat(proc.mountPoints(pid)).contains("/");
        assertThat(proc.mappedFiles(pid)).anyMatch(path -> path.endsWith("/sleep"));
        assertThat(proc.descriptors(pid))
                .anySatisfy(fd -> {
                    assertThat(fd.fd()).isEqualTo(1);
                    assertThat(fd.target())
                            .isEqualTo(folder.toRealPath().resolve("log").toString());
                    assertThat(fd.mode()).isEqualTo("a");
                })
                .anySatisfy(fd -> {
                    assertThat(fd.fd()).isZero();
                    assertThat(fd.isPipe()).isTrue();
                });
        ProcessStat stat = proc.stat(pid).orElseThrow();
        assertThat(stat.parent()).isEqualTo(SELF);
        assertThat(proc.isAlive(stat.id())).isTrue();
        assertThat(proc.isAlive(new ProcessId(pid, stat.startTimeTicks() + 1))).isFalse();
    }

    @Test
    void aCommandWithSpacesAndParenthesesIsParsed() {
        String line = "42 (a) b (c) T 7 42 40 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 123456 0 0";
        assertThat(ProcessStat.parse(line)).isEqualTo(new ProcessStat(42, "a) b (c", 'T', 7, 40, 123456, 0));
    }

    @Test
    void aDeadProcessTellsHowItEnded() {
        String line = "42 (a) Z 7 42 40 0 -1 4194304" + " 0".repeat(12) + " 123456" + " 0".repeat(29) + " %d";

        assertThat(ProcessStat.parse(line.formatted(139)).ending()).isEqualTo("was ended by signal 11");
        assertThat(ProcessStat.parse(line.formatted(3 << 8)).ending()).isEqualTo("exited with status 3");
    }

    @Test
    void listenersAreFoundWithTheirOwner() throws Exception {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            // when
            List<TcpListener> mine = new SocketOwners(proc)
                    .listenersOf(List.of(proc.stat(SELF).orElseThrow().id()));
            // then
            assertThat(mine).anySatisfy(listener -> {
                assertThat(listener.port()).isEqualTo(socket.getLocalPort());
                assertThat(listener.address()).contains("127.0.0.1");
                assertThat(new SocketOwners(proc).holder("socket:[" + listener.inode() + "]"))
                        .contains(SELF);
                assertThat(listener.conflictsWith("0.0.0.0", listener.port())).isTrue();
                assertThat(listener.conflictsWith("10.0.0.1", listener.port())).isFalse();
                assertThat(listener.conflictsWith("0.0.0.0", 1)).isFalse();
            });
        }
    }

    @Test
    void endingATreeEndsItAllAlsoWhatIsStopped() throws Exception {
        // given a shell with two children, one of them stopped
        started = new ProcessBuilder("/bin/sh", "-c", "sleep 1000 & sleep 1001 & kill -STOP $!; echo ready; wait")
                .start();
        assertThat(started.inputReader().readLine()).isEqualTo("ready");
        ProcessId root = proc.stat((int) started.pid()).orElseThrow().id();
        ProcessTree tree = new ProcessTree(proc);
        List<ProcessId> all = tree.of(root);
        assertThat(all).hasSize(3).startsWith(root);
        // when
        tree.end(root);
        tree.end(root);
        // then
        assertThat(all).noneMatch(proc::isAlive);
        assertThat(tree.of(root)).isEmpty();
    }

    @Test
    void aStoppedTreeGoesOn() throws Exception {
        started = new ProcessBuilder("/bin/sleep", "1000").start();
        ProcessId root = proc.stat((int) started.pid()).orElseThrow().id();
        Signals.send(root, "STOP");
        Awaitility.await().until(() -> proc.stat(root.pid()).orElseThrow().isStopped());
        // when
        new ProcessTree(proc).resume(root);
        // then
        Awaitility.await().until(() -> !proc.stat(root.pid()).orElseThrow().isStopped());
    }

    @Test
    void aProcessThatWaitsToBeReapedDoesNotLive() throws Exception {
        // given a parent that does not reap: the shell still might, so its child waits until it is none any more
        started = new ProcessBuilder("/bin/sh", "-c", "exec 3<&0; /bin/sh -c 'read go <&3' & echo $!; exec sleep 1000")
                .start();
        int child = Integer.parseInt(started.inputReader().readLine());
        Path name = Path.of("/proc/" + started.pid() + "/comm");
        Awaitility.await().until(() -> Files.readString(name).equals("sleep\n"));
        started.outputWriter().append('\n').flush();
        Awaitility.await()
                .until(() -> proc.stat(child).filter(ProcessStat::isDead).isPresent());
        // when, then
        assertThat(proc.isAlive(proc.stat(child).orElseThrow().id())).isFalse();
        assertThat(proc.hasEnded(proc.stat(child).orElseThrow().id())).isTrue();
    }

    @Test
    void onlyEvidenceSaysThatAProcessHasEnded() throws Exception {
        ProcessId self = proc.stat(SELF).orElseThrow().id();
        ProcessId gone = new ProcessId(Integer.MAX_VALUE, 1);
        assertThat(proc.hasEnded(self)).isFalse();
        assertThat(proc.hasEnded(new ProcessId(SELF, self.startTimeTicks() - 1)))
                .isTrue();
        assertThat(proc.hasEnded(gone)).isTrue();
        // a folder in the place of a file: what is read fails
        Files.createDirectories(folder.resolve(SELF + "/stat"));
        assertThat(ProcFs.at(folder).isAlive(self)).isFalse();
        assertThat(ProcFs.at(folder).hasEnded(self)).isFalse();
        // nothing is mounted there
        assertThat(ProcFs.at(folder).hasEnded(gone)).isFalse();
        // cut off
        Files.createDirectories(folder.resolve("7"));
        Files.writeString(folder.resolve("7/stat"), "7 (a) S 1");
        assertThat(ProcFs.at(folder).hasEnded(new ProcessId(7, 1))).isFalse();
        // a thread of one that waits to be reaped cannot be read
        Files.writeString(folder.resolve("7/stat"), "7 (a) Z 1 1 1" + " 0".repeat(15) + " 123" + " 0".repeat(30));
        Files.createDirectories(folder.resolve("7/task/8/stat"));
        assertThat(ProcFs.at(folder).hasEnded(new ProcessId(7, 123))).isFalse();
        Files.delete(folder.resolve("7/task/8/stat"));
        assertThat(ProcFs.at(folder).hasEnded(new ProcessId(7, 123))).isTrue();
    }

    @Test
    void workloadsAreFoundByTheirVariableOnceForATree() throws Exception {
        // given
        ProcessBuilder builder = new ProcessBuilder("/bin/sh", "-c", "sleep 1000 & echo ready; wait");
        builder.environment().put("GPUSNAP_WORKLOAD", "found-by-test");
        builder.environment().put("GPUSNAP_SOCKET_DIR", "/run/elsewhere");
        started = builder.start();
        assertThat(started.inputReader().readLine()).isEqualTo("ready");
        // when
        List<Workload> found = new Workloads(proc)
                .find().stream()
                        .filter(workload -> workload.name().equals("found-by-test"))
                        .toList();
        // then
        assertThat(found).singleElement().satisfies(workload -> {
            assertThat(workload.process().pid()).isEqualTo((int) started.pid());
            assertThat(workload.isPreloaded()).isFalse();
            assertThat(workload.socketPath())
                    .isEqualTo("/proc/%d/root/run/elsewhere/%d.sock".formatted(started.pid(), started.pid()));
            assertThat(new Workloads(proc).read(workload.process())).contains(workload);
        });
        started.descendants().forEach(ProcessHandle::destroyForcibly);
        started.destroyForcibly();
        assertThat(started.waitFor(10, TimeUnit.SECONDS)).isTrue();
        assertThat(new Workloads(proc).read(found.getFirst().process())).isEmpty();
    }

    @Test
    void aProcessThatIsGoneIsNotDescribed() {
        int gone = Integer.MAX_VALUE;
        assertThat(proc.stat(gone)).isEmpty();
        assertThat(proc.descriptors(gone)).isEmpty();
        assertThat(proc.environment(gone)).isEmpty();
        assertThat(Files.exists(proc.of(gone))).isFalse();
    }

    @Test
    void theMachineHasFacts() {
        HostFacts facts = HostFacts.read();
        assertThat(facts.cpuFeatures()).isNotEmpty().isSorted();
        assertThat(facts.kernelRelease()).isNotBlank();
        assertThat(HostFacts.kernelMajor("6.18.44-custom")).isEqualTo("6");
    }
}
