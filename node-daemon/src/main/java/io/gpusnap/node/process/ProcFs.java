package io.gpusnap.node.process;

import io.gpusnap.node.file.Folders;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Reads /proc. A process may end between two reads: then a method answers empty, never half a truth about another process,
 * as long as callers compare start times (see {@link #isAlive}).
 */
public final class ProcFs {

    private static final Path MACHINE = Path.of("/proc");
    private static final String GPUS = "driver/nvidia/gpus";

    private final Path root;
    private final Path gpus;

    /** The machine's own /proc. */
    public ProcFs() {
        this(MACHINE);
    }

    ProcFs(Path root) {
        this(root, root.resolve(GPUS));
    }

    private ProcFs(Path root, Path gpus) {
        this.root = root;
        this.gpus = gpus;
    }

    /** One that is mounted elsewhere, such as that of another PID namespace. */
    public static ProcFs at(Path root) {
        return new ProcFs(root);
    }

    /** The machine's own, but for GPUs that no kernel module knows: a folder tells of those as it would. */
    public static ProcFs withGpusOf(Path folder) {
        return new ProcFs(MACHINE, folder);
    }

    public Path of(int pid) {
        return root.resolve(Integer.toString(pid));
    }

    public List<Integer> pids() {
        return names(root).stream()
                .filter(name -> !name.isEmpty() && name.chars().allMatch(c -> c >= '0' && c <= '9'))
                .map(Integer::valueOf)
                .toList();
    }

    public Optional<ProcessStat> stat(int pid) {
        return read(of(pid).resolve("stat")).map(ProcessStat::parse);
    }

    /** Whether this very process exists and can still do something: one that only waits to be reaped cannot. */
    public boolean isAlive(ProcessId process) {
        return stat(process.pid())
                .filter(stat -> stat.startTimeTicks() == process.startTimeTicks())
                .filter(stat -> !stat.isDead() || hasLiveThread(process.pid()))
                .isPresent();
    }

    /**
     * Whether it is certain that this very process can do nothing any more, for whoever would do harm otherwise: nobody has its pid,
     * somebody else has it, or it waits to be reaped without a thread that lives. What cannot be read, for want of descriptors say,
     * is no evidence; so false does not mean that it lives.
     */
    public boolean hasEnded(ProcessId process) {
        try {
            ProcessStat stat = ProcessStat.parse(text(of(process.pid()).resolve("stat")));
            return stat.startTimeTicks() != process.startTimeTicks() || stat.isDead() && allThreadsEnded(process.pid());
        } catch (NoSuchFileException e) {
            return seesEverybody();
        } catch (IOException | IllegalArgumentException | IndexOutOfBoundsException e) {
            return false;
        }
    }

    private boolean allThreadsEnded(int pid) throws IOException {
        for (Path task : Folders.list(of(pid).resolve("task"))) {
            try {
                if (!ProcessStat.parse(text(task.resolve("stat"))).isDead()) {
                    return false;
                }
            } catch (NoSuchFileException e) {
                continue; // it has just ended
            }
        }
        return true;
    }

    /** Not where nothing is mounted, nor where other users' processes are hidden (hidepid): every namespace has a first process. */
    private boolean seesEverybody() {
        return Files.isReadable(of(1).resolve("stat"));
    }

    /** Which PID namespace this very process is in; its processes have other ids elsewhere, or none. */
    public Optional<String> pidNamespace() {
        return linkOf("self", "ns/pid");
    }

    /** Ids of the process's threads, its own included. */
    public List<Integer> taskIds(int pid) {
        return names(of(pid).resolve("task")).stream().map(Integer::valueOf).toList();
    }

    private boolean hasLiveThread(int pid) {
        Path tasks = of(pid).resolve("task");
        return names(tasks).stream()
                .map(task -> read(tasks.resolve(task).resolve("stat")))
                .flatMap(Optional::stream)
                .anyMatch(text -> !ProcessStat.parse(text).isDead());
    }

    /** Now, in the unit of start times: 100 a second on every architecture that CUDA runs on. */
    public long uptimeTicks() {
        return read(root.resolve("uptime"))
                .map(text -> (long) (Double.parseDouble(text.split(" ")[0]) * 100))
                .orElse(0L);
    }

    public Map<String, String> environment(int pid) {
        Map<String, String> variables = new LinkedHashMap<>();
        for (String entry : zeroSeparated(of(pid).resolve("environ"))) {
            int equals = entry.indexOf('=');
            if (equals > 0) {
                variables.putIfAbsent(entry.substring(0, equals), entry.substring(equals + 1));
            }
        }
        return variables;
    }

    public List<String> commandLine(int pid) {
        return zeroSeparated(of(pid).resolve("cmdline"));
    }

    public Optional<String> link(int pid, String name) {
        return readLink(of(pid).resolve(name));
    }

    /** What NVIDIA's kernel module says of its GPUs; nothing where it is not loaded. */
    public List<KernelGpu> gpus() {
        return names(gpus).stream()
                .map(gpu -> lines(gpus.resolve(gpu).resolve("information")))
                .flatMap(about -> KernelGpu.parse(about).stream())
                .toList();
    }

    /** As {@link #link}, of a name such as self. */
    Optional<String> linkOf(String process, String name) {
        return readLink(root.resolve(process).resolve(name));
    }

    /** A value of /proc/pid/status, without its label. */
    public Optional<String> status(int pid, String label) {
        return lines(of(pid).resolve("status")).stream()
                .filter(line -> line.startsWith(label + ":"))
                .map(line -> line.substring(label.length() + 1).trim())
                .findFirst();
    }

    /** The pid that the process has for itself. */
    public int ownPid(int pid) {
        return status(pid, "NSpid")
                .map(value -> value.split("\\s+"))
                .map(pids -> Integer.parseInt(pids[pids.length - 1]))
                .orElse(pid);
    }

    /** The id that one of its threads has for itself. */
    public int ownTaskId(int pid, int taskId) {
        return lines(of(pid).resolve("task/" + taskId + "/status")).stream()
                .filter(line -> line.startsWith("NSpid:"))
                .map(line -> line.trim().split("\\s+"))
                .map(ids -> Integer.parseInt(ids[ids.length - 1]))
                .findFirst()
                .orElse(taskId);
    }

    /** Paths of its control groups, one for each hierarchy. */
    List<String> controlGroups(int pid) {
        return lines(of(pid).resolve("cgroup")).stream()
                .map(line -> line.split(":", 3))
                .filter(fields -> fields.length == 3)
                .map(fields -> fields[2])
                .toList();
    }

    /** Only where they lead, for walks over all processes. */
    List<String> descriptorTargets(int pid) {
        Path folder = of(pid).resolve("fd");
        return names(folder).stream()
                .map(name -> readLink(folder.resolve(name)))
                .flatMap(Optional::stream)
                .toList();
    }

    public List<OpenFd> descriptors(int pid) {
        List<OpenFd> descriptors = new ArrayList<>();
        Path folder = of(pid).resolve("fd");
        for (String name : names(folder)) {
            readLink(folder.resolve(name))
                    .ifPresent(target -> descriptors.add(
                            OpenFd.of(Integer.parseInt(name), target, lines(of(pid).resolve("fdinfo/" + name)))));
        }
        return descriptors;
    }

    /** Distinct absolute paths of mapped files, without those that were deleted. */
    public List<String> mappedFiles(int pid) {
        return mappings(pid).stream()
                .filter(path -> !path.endsWith(" (deleted)"))
                .toList();
    }

    /** As {@link #mappedFiles}, with those that have no name any more: as they were called, and " (deleted)". */
    public List<String> mappings(int pid) {
        return lines(of(pid).resolve("maps")).stream()
                .map(line -> line.split("\\s+", 6))
                .filter(fields -> fields.length == 6 && fields[5].startsWith("/"))
                .map(fields -> fields[5])
                .distinct()
                .toList();
    }

    public List<String> mountPoints(int pid) {
        return mounts(pid).stream().map(Mount::point).distinct().toList();
    }

    /** In the order in which they were mounted: a later one hides an earlier one of the same point. */
    public List<Mount> mounts(int pid) {
        return lines(of(pid).resolve("mountinfo")).stream()
                .map(line -> line.split(" - ", 2))
                .filter(halves -> halves.length == 2 && halves[0].split(" ").length > 5)
                .map(halves -> mount(halves[0].split(" "), halves[1].split(" ")))
                .toList();
    }

    private static Mount mount(String[] place, String[] fileSystem) {
        return new Mount(
                place[4],
                fileSystem[0],
                List.of(place[5].split(",")).contains("ro"),
                fileSystem.length > 1 ? fileSystem[1] : "",
                fileSystem.length > 2 ? List.of(fileSystem[2].split(",")) : List.of());
    }

    /** Another one after each start of the machine; empty where it does not say. */
    public Optional<String> bootId() {
        return read(root.resolve("sys/kernel/random/boot_id")).map(String::trim);
    }

    /** When the machine started, in seconds since 1970; 0 where it does not say. */
    public long bootSeconds() {
        return lines(root.resolve("stat")).stream()
                .filter(line -> line.startsWith("btime "))
                .map(line -> Long.parseLong(line.substring("btime ".length()).trim()))
                .findFirst()
                .orElse(0L);
    }

    /** Lines of a table in /proc/pid/net, without its heading. */
    List<String> netTable(int pid, String table) {
        List<String> lines = lines(of(pid).resolve("net/" + table));
        return lines.isEmpty() ? lines : lines.subList(1, lines.size());
    }

    List<String> netLines(int pid, String table) {
        return lines(of(pid).resolve("net/" + table));
    }

    List<String> lines(Path file) {
        return read(file).map(text -> text.lines().toList()).orElse(List.of());
    }

    private List<String> zeroSeparated(Path file) {
        return read(file)
                .map(text -> Arrays.stream(text.split("\0"))
                        .filter(part -> !part.isEmpty())
                        .toList())
                .orElse(List.of());
    }

    private static Optional<String> read(Path file) {
        try {
            return Optional.of(text(file));
        } catch (IOException e) {
            // Ended in the meantime (ENOENT, ESRCH), or not ours to read: either way nothing is known.
            return Optional.empty();
        }
    }

    /** Lenient: a process may be called what is no UTF-8. */
    private static String text(Path file) throws IOException {
        return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
    }

    private static Optional<String> readLink(Path link) {
        try {
            return Optional.of(Files.readSymbolicLink(link).toString());
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    private static List<String> names(Path folder) {
        List<String> names = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
            for (Path entry : entries) {
                names.add(entry.getFileName().toString());
            }
        } catch (NoSuchFileException | NotDirectoryException | DirectoryIteratorException e) {
            return names;
        } catch (IOException e) {
            if (Files.exists(folder, LinkOption.NOFOLLOW_LINKS) && !Files.isReadable(folder)) {
                throw new UncheckedIOException("cannot read " + folder, e);
            }
        }
        return names;
    }
}
