package io.gpusnap.demo;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A machine of its own as far as gpusnap can see: process ids, memory, network and a disk of its own, by Linux namespaces. What
 * lies in other folders all machines share, as on a network volume. Its processes end with it, as when the power fails.
 *
 * @param power the process without which all of the machine is gone
 * @param init the machine's first process, as this machine counts
 */
final class Machine {

    private static final int SECONDS = 30;
    /** Brings up memory and disk, and then waits for whatever ends, as the first process of a machine must. */
    private static final String BOOT = """
            set -e
            mount -t tmpfs -o mode=700 tmpfs "$MEMORY"
            mkdir -m 700 "$MEMORY/scratch"
            mount --bind "$DISK" "$DISK_AT"
            touch "$DISK/up"
            set +e
            while :; do sleep 3600 & wait; done
            """;
    /** Its files are opened here: those of another machine's mounts could not be frozen. */
    private static final String START_WITH_ID = """
            echo $(($ID - 1)) > /proc/sys/kernel/ns_last_pid
            setsid "$0" "$@" </dev/null >>"$LOG" 2>&1 &
            [ $! = "$ID" ]
            """;

    private final Launcher launcher;
    private final String name;
    private final Started power;
    private final long init;
    private final String address;

    private Machine(Launcher launcher, String name, Started power, long init, String address) {
        this.launcher = launcher;
        this.name = name;
        this.power = power;
        this.init = init;
        this.address = address;
    }

    /**
     * @param memory a folder that is there; on the machine it is a tmpfs of its own
     * @param disk what the machine keeps while it is off
     * @param diskAt where the machine sees that
     */
    static Machine start(
            Launcher launcher, Network network, String name, int number, Path memory, Path disk, Path diskAt)
            throws IOException {
        Files.deleteIfExists(disk.resolve("up"));
        Started power = launcher.start(
                name,
                List.of(
                        "unshare",
                        "--pid",
                        "--mount",
                        "--net",
                        "--fork",
                        "--kill-child",
                        "--mount-proc",
                        "bash",
                        "-c",
                        BOOT),
                Map.of(
                        "MEMORY", memory.toString(),
                        "DISK", disk.toString(),
                        "DISK_AT", diskAt.toString()));
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
        while (!Files.exists(disk.resolve("up"))) {
            power.requireAlive();
            if (System.nanoTime() > deadline) {
                throw new AssertionError(name + " does not come up; see " + power.log());
            }
            Pause.millis(10);
        }
        long init = ProcessHandle.of(power.pid())
                .flatMap(unshare -> unshare.children().findFirst())
                .orElseThrow()
                .pid();
        return new Machine(launcher, name, power, init, network.join(number, init));
    }

    String name() {
        return name;
    }

    String address() {
        return address;
    }

    Started start(String process, List<String> command, Map<String, String> environment) {
        return launcher.start(process, Commands.with(inside(), command), environment);
    }

    /**
     * Starts a service that gets this process id.
     *
     * @param log as the machine sees it
     */
    void startWithId(int id, Path log, List<String> command, Map<String, String> environment) {
        List<String> start = List.of("env", "ID=" + id, "LOG=" + log, "bash", "-c", START_WITH_ID);
        Started starting = launcher.start(
                name + "-start-" + id, Commands.with(Commands.with(inside(), start), command), environment);
        if (!starting.awaitEnd(SECONDS) || process(id).isEmpty()) {
            throw new AssertionError("process " + id + " did not start: " + Started.tail(starting.log()));
        }
    }

    /** What starts from now on gets ids far from those that come back with a thaw. */
    void idsOfOthers() {
        Commands.run(
                Commands.with(inside(), List.of("bash", "-c", "echo 1000 > /proc/sys/kernel/ns_last_pid")));
    }

    private List<String> inside() {
        return List.of("nsenter", "--target", "" + init, "--pid", "--mount", "--net");
    }

    /** Only what {@link #start} began, nothing that it has started. */
    void kill(Started started) {
        ProcessHandle process = ProcessHandle.of(started.pid())
                .flatMap(nsenter -> nsenter.children().findFirst())
                .orElseThrow();
        process.destroyForcibly();
        if (!started.awaitEnd(SECONDS)) {
            throw new AssertionError(started.name() + " lives on");
        }
    }

    void powerOff() {
        ProcessHandle.of(init).ifPresent(ProcessHandle::destroyForcibly);
        if (!power.awaitEnd(SECONDS)) {
            throw new AssertionError(name + " is still on");
        }
    }

    /** The process that the machine knows by this id, as this machine counts. */
    Optional<Long> process(long id) {
        return processes().filter(pid -> idOf(pid) == id).findFirst();
    }

    /** How many processes of this program run here. */
    long running(Path program) {
        return processes()
                .filter(pid -> ProcessHandle.of(pid)
                        .flatMap(handle -> handle.info().command())
                        .filter(program.toString()::equals)
                        .isPresent())
                .count();
    }

    private Stream<Long> processes() {
        Optional<Path> here = namespace(init);
        return ProcessHandle.allProcesses()
                .map(ProcessHandle::pid)
                .filter(pid -> here.isPresent() && namespace(pid).equals(here))
                .filter(pid -> Started.startTimeTicks(pid).isPresent());
    }

    private static Optional<Path> namespace(long pid) {
        try {
            return Optional.of(Files.readSymbolicLink(Path.of("/proc", "" + pid, "ns/pid")));
        } catch (IOException gone) {
            return Optional.empty();
        }
    }

    private static long idOf(long pid) {
        try (Stream<String> lines = Files.lines(Path.of("/proc", "" + pid, "status"))) {
            return lines.filter(line -> line.startsWith("NSpid:"))
                    .map(line -> line.substring(line.lastIndexOf('\t') + 1))
                    .mapToLong(Long::parseLong)
                    .findFirst()
                    .orElse(-1);
        } catch (IOException gone) {
            return -1;
        }
    }
}
