package io.gpusnap.node.engine;

import io.gpusnap.node.file.Folders;
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
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Which process is frozen as which snapshot, durable: one file a process. Only that snapshot may be filled into it again; an
 * older one has the device memory of another moment than the process. Beside it, in a file of its own that daemons before decision
 * 0445 pass over, stand the names of those that wait with it. Thread-safe.
 */
final class SuspendedProcesses {

    private static final Pattern NAME = Pattern.compile("(\\d+)-(\\d+)");
    private static final String TREE = ".tree";

    private final Path folder;
    private final ProcFs proc;

    SuspendedProcesses(Path folder, ProcFs proc) throws IOException {
        this.folder = Files.createDirectories(folder);
        this.proc = proc;
    }

    synchronized Optional<SnapshotId> snapshotOf(ProcessId process) throws IOException {
        try {
            return Optional.of(SnapshotId.parse(Files.readString(file(process)).trim()));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (IllegalArgumentException e) {
            throw new IOException(file(process) + " names no snapshot", e);
        }
    }

    /** The living process that is frozen as this snapshot. */
    synchronized Optional<ProcessId> processOf(SnapshotId snapshot) throws IOException {
        for (ProcessId process : all()) {
            if (proc.isAlive(process)
                    && snapshotOf(process).filter(snapshot::equals).isPresent()) {
                return Optional.of(process);
            }
        }
        return Optional.empty();
    }

    /** Those whose first process has ended: nobody will ever resume them. */
    synchronized List<SuspendedTree> rootless() throws IOException {
        List<SuspendedTree> rootless = new ArrayList<>();
        for (ProcessId process : all()) {
            if (!proc.isAlive(process)) {
                rootless.add(new SuspendedTree(process, said(process), tree(process)));
            }
        }
        return rootless;
    }

    private List<ProcessId> all() throws IOException {
        return Folders.list(folder).stream()
                .map(file -> NAME.matcher(file.getFileName().toString()))
                .filter(Matcher::matches)
                .map(name -> new ProcessId(Integer.parseInt(name.group(1)), Long.parseLong(name.group(2))))
                .toList();
    }

    /** A file that cannot be read must not keep the processes there. */
    private Optional<SnapshotId> said(ProcessId process) {
        try {
            return snapshotOf(process);
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /** Start times count from the start of the machine: those of another one may be anybody's. */
    private List<ProcessId> tree(ProcessId process) throws IOException {
        Path file = treeFile(process);
        if (Files.notExists(file)) {
            return List.of();
        }
        List<String> lines = Files.readAllLines(file);
        if (lines.isEmpty() || !proc.bootId().equals(Optional.of(lines.getFirst()))) {
            return List.of();
        }
        return lines.stream()
                .map(NAME::matcher)
                .filter(Matcher::matches)
                .map(name -> new ProcessId(Integer.parseInt(name.group(1)), Long.parseLong(name.group(2))))
                .toList();
    }

    /**
     * Durable when it returns.
     *
     * @param tree the process and whoever waits with it
     */
    synchronized void suspended(ProcessId process, SnapshotId snapshot, List<ProcessId> tree) throws IOException {
        String names = tree.stream().map(SuspendedProcesses::name).collect(Collectors.joining("\n"));
        // First: with the snapshot alone they would wait for ever.
        write(treeFile(process), proc.bootId().orElse("") + "\n" + names + "\n");
        write(file(process), snapshot + "\n");
        sync(folder);
    }

    private void write(Path file, String text) throws IOException {
        Path temporary = folder.resolve(".tmp-" + file.getFileName());
        Files.writeString(temporary, text);
        sync(temporary);
        Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    /** It runs again, or nothing is left of it. */
    synchronized void forget(ProcessId process) throws IOException {
        // Last what it is found by: whoever is cut off in between does it again.
        Files.deleteIfExists(treeFile(process));
        if (Files.deleteIfExists(file(process))) {
            sync(folder);
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
