package io.gpusnap.node.engine;

import io.gpusnap.node.file.Folders;
import io.gpusnap.node.operation.LogKeys;
import io.gpusnap.node.process.ProcFs;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.store.SnapshotId;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which process is frozen as which snapshot, durable: one file a process. Only that snapshot may be filled into it again; an
 * older one has the device memory of another moment than the process. Beside it, in a file of its own that daemons before decision
 * 0445 pass over, stand the names of those that wait with it. Thread-safe.
 */
final class SuspendedProcesses {

    private static final Pattern NAME = Pattern.compile("(\\d+)-(\\d+)");
    private static final String TREE = ".tree";

    private static final Logger LOG = LoggerFactory.getLogger(SuspendedProcesses.class);
    private static final String NAMESPACE = "pid:";

    private final Path folder;
    private final ProcFs proc;
    private final Set<ProcessId> forgotten = new HashSet<>();
    private final Set<ProcessId> told = new HashSet<>();

    SuspendedProcesses(Path folder, ProcFs proc) throws IOException {
        this.folder = Files.createDirectories(folder);
        this.proc = proc;
    }

    /** Empty for one that runs again, also where its file could not be deleted yet. */
    synchronized Optional<SnapshotId> snapshotOf(ProcessId process) throws IOException {
        if (forgotten.contains(process)) {
            return Optional.empty();
        }
        try {
            return Optional.of(SnapshotId.parse(Files.readString(file(process)).trim()));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (IllegalArgumentException e) {
            throw new IOException(file(process) + " names no snapshot", e);
        }
    }

    /** The process that is frozen as this snapshot, unless it is certain that it has ended. */
    synchronized Optional<ProcessId> processOf(SnapshotId snapshot) throws IOException {
        for (ProcessId process : all()) {
            if (!isGone(process) && snapshotOf(process).filter(snapshot::equals).isPresent()) {
                return Optional.of(process);
            }
        }
        return Optional.empty();
    }

    /** All that there are, also those of whom nothing can be told. */
    synchronized List<ProcessId> all() throws IOException {
        List<ProcessId> all = new ArrayList<>();
        for (Path file : Folders.list(folder)) {
            processNamed(file.getFileName().toString())
                    .filter(process -> !forgotten.contains(process))
                    .ifPresent(all::add);
        }
        return all;
    }

    /**
     * Those of whose first process it is certain that it has ended: nobody will ever resume them. One whose file of names cannot be
     * read, or does not say where its ids count, is none of them.
     */
    synchronized List<SuspendedTree> rootless() throws IOException {
        List<SuspendedTree> rootless = new ArrayList<>();
        for (ProcessId process : all()) {
            Optional<SuspendedNames> names = names(process);
            if (names.isPresent() && names.get().isEnded(process, proc)) {
                rootless.add(new SuspendedTree(
                        process,
                        said(process),
                        names.get().isOfAnotherBoot(proc)
                                ? List.of()
                                : names.get().processes()));
            }
        }
        return rootless;
    }

    /** For whom a process without names is gone as well: nothing happens to anybody by that. */
    private boolean isGone(ProcessId process) {
        Optional<SuspendedNames> names = names(process);
        return names.map(said -> said.isEnded(process, proc)).orElse(false)
                || names.flatMap(SuspendedNames::namespace).isEmpty() && proc.hasEnded(process);
    }

    /** Who its name says that it is; nobody where it is another file's. */
    private static Optional<ProcessId> processNamed(String text) {
        Matcher name = NAME.matcher(text);
        if (!name.matches()) {
            return Optional.empty();
        }
        try {
            return Optional.of(new ProcessId(Integer.parseInt(name.group(1)), Long.parseLong(name.group(2))));
        } catch (IllegalArgumentException e) {
            return Optional.empty(); // no machine has such an id
        }
    }

    /** A file that cannot be read must not keep the processes there. */
    private Optional<SnapshotId> said(ProcessId process) {
        try {
            return snapshotOf(process);
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /** Empty where there are none, and where they cannot be read: one entry must not hide the others. */
    private Optional<SuspendedNames> names(ProcessId process) {
        Path file = treeFile(process);
        try {
            return Optional.of(read(Files.readAllLines(file)));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (IOException e) {
            if (told.add(process)) {
                LOG.atWarn()
                        .addKeyValue(LogKeys.PATH, file)
                        .addKeyValue(LogKeys.REASON, e.toString())
                        .log("who waits with {} cannot be read: nobody is ended when it has ended", process);
            }
            return Optional.empty();
        }
    }

    private static SuspendedNames read(List<String> lines) {
        return new SuspendedNames(
                lines.stream().findFirst().filter(boot -> !boot.isBlank()),
                lines.stream().filter(line -> line.startsWith(NAMESPACE)).findFirst(),
                lines.stream().flatMap(line -> processNamed(line).stream()).toList());
    }

    /**
     * Durable when it returns.
     *
     * @param tree the process and whoever waits with it
     */
    synchronized void suspended(ProcessId process, SnapshotId snapshot, List<ProcessId> tree) throws IOException {
        String names = tree.stream().map(SuspendedProcesses::name).collect(Collectors.joining("\n"));
        // First: with the snapshot alone they would wait for ever.
        String where = proc.bootId().orElse("") + "\n" + proc.pidNamespace().orElse("") + "\n";
        write(treeFile(process), where + names + "\n");
        write(file(process), snapshot + "\n");
        sync(folder);
        forgotten.remove(process);
    }

    private void write(Path file, String text) throws IOException {
        Path temporary = folder.resolve(".tmp-" + file.getFileName());
        Files.writeString(temporary, text);
        sync(temporary);
        Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    /**
     * It runs again, or nothing is left of it: from now on, for this daemon also where it throws.
     *
     * @throws IOException an entry is left; {@link #forgetAgain} tries it again
     */
    synchronized void forget(ProcessId process) throws IOException {
        forgotten.add(process);
        // Last what it is found by: whoever is cut off in between does it again.
        Files.deleteIfExists(treeFile(process));
        Files.deleteIfExists(file(process));
        sync(folder);
        forgotten.remove(process);
    }

    /** Tries again what could not be forgotten. What still cannot has been told when it could not first. */
    synchronized void forgetAgain() {
        for (ProcessId process : List.copyOf(forgotten)) {
            try {
                forget(process);
            } catch (IOException e) {
                LOG.atDebug().addKeyValue(LogKeys.REASON, e.getMessage()).log("{} cannot be forgotten yet", process);
            }
        }
    }

    private static void sync(Path path) throws IOException {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    private Path file(ProcessId process) {
        return folder.resolve(name(process));
    }

    private Path treeFile(ProcessId process) {
        return folder.resolve(name(process) + TREE);
    }

    private static String name(ProcessId process) {
        return process.pid() + "-" + process.startTimeTicks();
    }
}
