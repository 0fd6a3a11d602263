package io.gpusnap.node.criu;

import io.gpusnap.node.file.Folders;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Runs the {@code criu} program. Its output goes to files, never to pipes of ours: a CRIU whose daemon dies finishes what
 * it has begun, since one that is cut off in a dump would leave the workload with foreign code in it.
 *
 * <p>Who reaps: a workload that the daemon's JVM started is reaped by the JVM when it ends; any other by its parent. A
 * restored one belongs to the nearest subreaper, normally init, because CRIU restores detached and ends.
 */
public final class CriuRunner {

    private static final Duration PROBE_LIMIT = Duration.ofSeconds(30);
    private static final List<String> COMMON = List.of(
            "--file-locks",
            "--link-remap",
            "--ghost-limit",
            "1073741824",
            "--ext-unix-sk",
            "--tcp-close",
            "--skip-in-flight");
    private static final String DUMP_LOG = "dump.log";
    private static final String RESTORE_LOG = "restore.log";
    private static final String PID_FILE = "criu.pid";
    private static final String DUMPED = "Dumping finished successfully";

    private final String program;
    private final Duration limit;
    private final Optional<Enclosure> enclosure;

    /** @param limit for one dump or restore */
    public CriuRunner(String program, Duration limit) {
        this(program, limit, Optional.empty());
    }

    private CriuRunner(String program, Duration limit, Optional<Enclosure> enclosure) {
        this.program = program;
        this.limit = limit;
        this.enclosure = enclosure;
    }

    /** The same CRIU in a container: ids that it takes and returns are those in there. */
    public CriuRunner inside(Enclosure container) {
        return new CriuRunner(program, limit, Optional.of(container));
    }

    /** Looks for a CRIU that is new enough for this kernel, and asks it to check the kernel. */
    public CriuProbe probe() throws InterruptedException {
        Optional<String> version = output("--version");
        Optional<CriuVersion> found = version.flatMap(CriuVersion::parse);
        CriuVersion minimum = CriuVersion.minimumFor(System.getProperty("os.version"));
        if (found.isEmpty()) {
            return new CriuProbe(
                    false,
                    found,
                    "%s cannot be run: install CRIU %s or newer, or set criu.path".formatted(program, minimum));
        }
        if (found.get().compareTo(minimum) < 0) {
            return new CriuProbe(
                    false,
                    found,
                    "CRIU %s is too old for this kernel, it takes %s: install a newer one, or set criu.path"
                            .formatted(found.get(), minimum));
        }
        Optional<String> check = output("check");
        if (check.isEmpty() || !check.get().contains("Looks good")) {
            String said = check.map(
                            text -> text.lines().reduce((first, last) -> last).orElse("nothing"))
                    .orElse("it failed");
            return new CriuProbe(false, found, "criu check: " + said + " (it takes root or CAP_CHECKPOINT_RESTORE)");
        }
        return new CriuProbe(true, found, "CRIU " + found.get());
    }

    /**
     * Dumps a tree into a folder. Every process of it is stopped when it returns; only a committed snapshot may cost a
     * workload its life. When it fails, the tree goes on as before.
     *
     * @param shellJob the process is no session leader: CRIU will restore it into the session of whoever restores
     * @throws CriuException also on a timeout; then CRIU was ended, and the workload cannot be trusted any more
     */
    public void dump(int pid, Path images, boolean shellJob) throws CriuException, InterruptedException {
        List<String> arguments = List.of("dump", "--tree", Integer.toString(pid), "--leave-stopped");
        finish("dump", start(arguments, images, DUMP_LOG, shellJob), images, DUMP_LOG);
    }

    /** Whether the folder has all of a dump that succeeded. */
    public boolean isDumped(Path images) {
        return new CriuLog(images.resolve(DUMP_LOG)).says(DUMPED);
    }

    /**
     * Waits for a CRIU that an earlier life of this daemon left at work on a folder. One that takes too long is ended.
     *
     * @return whether there was one that had to be ended: then its workload cannot be trusted any more
     */
    public boolean awaitOrphans(Path images) throws InterruptedException {
        boolean ended = false;
        for (ProcessHandle orphan : orphans(images)) {
            try {
                orphan.onExit().get(limit.toSeconds(), TimeUnit.SECONDS);
            } catch (TimeoutException e) {
                ended |= orphan.destroyForcibly();
                orphan.onExit().join();
            } catch (ExecutionException e) {
                throw new IllegalStateException("waiting for a process does not fail", e);
            }
        }
        return ended;
    }

    /** Ends a CRIU that an earlier life of this daemon left at a restore into this folder. */
    public void endOrphans(Path images) {
        for (ProcessHandle orphan : orphans(images)) {
            orphan.destroyForcibly();
            orphan.onExit().join();
        }
    }

    private static List<ProcessHandle> orphans(Path images) {
        String folder = images.toAbsolutePath().toString();
        return ProcessHandle.allProcesses()
                .filter(process -> process.pid() != ProcessHandle.current().pid())
                .filter(process -> isOurUsers(process) && worksOn(process, folder))
                .toList();
    }

    /** Anybody may write a command line like CRIU's; only this user's processes are taken by their word. */
    private static boolean isOurUsers(ProcessHandle process) {
        Optional<String> user = ProcessHandle.current().info().user();
        return user.isPresent() && process.info().user().equals(user);
    }

    private static boolean worksOn(ProcessHandle process, String folder) {
        List<String> arguments = List.of(process.info().arguments().orElse(new String[0]));
        int option = arguments.indexOf("--images-dir");
        return option >= 0
                && option + 1 < arguments.size()
                && arguments.get(option + 1).equals(folder);
    }

    /** Forgets an earlier dump, so that {@link #isDumped} speaks of the next one. */
    public static void clear(Path images) throws CriuException {
        try {
            for (Path file : Folders.list(images)) {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new CriuException("cannot empty " + images, e);
        }
    }

    /**
     * Restores a tree; every process of it is stopped when it returns.
     *
     * @return its root's pid in the pid namespace that it was restored in
     */
    public int restore(Path images, boolean shellJob) throws CriuException, InterruptedException {
        Path pidFile = images.resolve(PID_FILE);
        List<String> arguments = List.of(
                "restore",
                "--restore-detached",
                "--leave-stopped",
                "--pidfile",
                PID_FILE); // in its working folder, which is that of the images
        finish("restore", start(arguments, images, RESTORE_LOG, shellJob), images, RESTORE_LOG);
        return restoredPid(images).orElseThrow(() -> new CriuException("criu restore wrote no pid to " + pidFile));
    }

    /** The root of a restore that got as far as to name it, also one that this daemon did not see end. */
    public Optional<Integer> restoredPid(Path images) {
        try {
            return Optional.of(
                    Integer.valueOf(Files.readString(images.resolve(PID_FILE)).trim()));
        } catch (IOException | NumberFormatException e) {
            return Optional.empty();
        }
    }

    /** Names of the files in an image folder that are ours or logs, not part of the image. */
    public static boolean isImage(String name) {
        return name.endsWith(".img");
    }

    private Process start(List<String> arguments, Path images, String log, boolean shellJob)
            throws CriuException, InterruptedException {
        List<String> folder = List.of("--images-dir", images.toAbsolutePath().toString());
        List<String> command = new ArrayList<>();
        if (enclosure.isPresent()) {
            command.addAll(entering(enclosure.get(), folder));
            command.addAll(arguments);
            command.add("--manage-cgroups=ignore"); // it is in the container's already
        } else {
            command.add(program);
            command.addAll(arguments);
            command.addAll(folder);
        }
        command.addAll(List.of("--log-file", log, "-v4"));
        command.addAll(COMMON);
        if (shellJob) {
            command.add("--shell-job");
        }
        return launch(command, outputOf(images, log));
    }

    private static Path outputOf(Path images, String log) {
        return images.resolve("criu-" + log.replace(".log", ".out"));
    }

    private static String said(Path output) {
        try {
            return Files.readString(output, StandardCharsets.UTF_8).strip();
        } catch (IOException e) {
            return "it said nothing";
        }
    }

    private List<String> entering(Enclosure container, List<String> folder) throws CriuException, InterruptedException {
        CriuProgram files = CriuProgram.of(program);
        List<String> command = new ArrayList<>(List.of(container.enter().toString(), "run"));
        command.addAll(folder);
        command.addAll(List.of("--target", Integer.toString(container.init())));
        command.addAll(List.of("--started", Long.toString(container.startTimeTicks())));
        command.addAll(List.of("--task-id", Integer.toString(container.taskId())));
        command.addAll(List.of("--loader", files.loader().toString()));
        command.addAll(List.of(
                "--library-path", files.libraries().stream().map(Path::toString).collect(Collectors.joining(":"))));
        command.addAll(List.of("--program", files.program().toString()));
        for (Enclosure.Pipe pipe : container.pipes()) {
            command.addAll(List.of("--inherit", pipe.name() + "=" + pipe.descriptor()));
        }
        command.add("--");
        return command;
    }

    private static Process launch(List<String> command, Path output) throws CriuException {
        try {
            return new ProcessBuilder(command)
                    .redirectInput(Path.of("/dev/null").toFile())
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile())
                    .start();
        } catch (IOException e) {
            throw new CriuException("cannot run " + command.getFirst() + ": " + e.getMessage(), e);
        }
    }

    private void finish(String verb, Process criu, Path images, String log) throws CriuException, InterruptedException {
        if (!criu.waitFor(limit.toSeconds(), TimeUnit.SECONDS)) {
            criu.destroyForcibly().waitFor();
            throw new CriuException("criu %s took longer than %d s".formatted(verb, limit.toSeconds()));
        }
        if (criu.exitValue() != 0) {
            String why = Files.exists(images.resolve(log))
                    ? new CriuLog(images.resolve(log)).firstErrors()
                    : said(outputOf(images, log)); // it was not even started
            throw new CriuException("criu %s failed (%d): %s".formatted(verb, criu.exitValue(), why));
        }
    }

    private Optional<String> output(String argument) throws InterruptedException {
        Path output = null;
        try {
            output = Files.createTempFile("gpusnap-criu", ".out");
            Process criu = launch(List.of(program, argument), output);
            if (!criu.waitFor(PROBE_LIMIT.toSeconds(), TimeUnit.SECONDS)) {
                criu.destroyForcibly().waitFor();
                return Optional.empty();
            }
            return Optional.of(Files.readString(output, StandardCharsets.UTF_8));
        } catch (IOException | CriuException e) {
            return Optional.empty();
        } finally {
            delete(output);
        }
    }

    private static void delete(@Nullable Path file) {
        try {
            if (file != null) {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            file.toFile().deleteOnExit();
        }
    }
}
