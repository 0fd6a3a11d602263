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
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which process is frozen as which snapshot, durable: one file a process. Only that snapshot may be filled into it again; an
 * older one has the device memory of another moment than the process.
 */
final class SuspendedProcesses {

    private static final Pattern NAME = Pattern.compile("(\\d+)-(\\d+)");

    private final Path folder;
    private final ProcFs proc;

    SuspendedProcesses(Path folder, ProcFs proc) throws IOException {
        this.folder = Files.createDirectories(folder);
        this.proc = proc;
    }

    Optional<SnapshotId> snapshotOf(ProcessId process) throws IOException {
        try {
            return Optional.of(SnapshotId.parse(Files.readString(file(process)).trim()));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (IllegalArgumentException e) {
            throw new IOException(file(process) + " names no snapshot", e);
        }
    }

    /** The living process that is frozen as this snapshot. Forgets processes that have ended. */
    Optional<ProcessId> processOf(SnapshotId snapshot) throws IOException {
        Optional<ProcessId> found = Optional.empty();
        for (Path file : Folders.list(folder)) {
            Matcher name = NAME.matcher(file.getFileName().toString());
            if (!name.matches()) {
                continue;
            }
            ProcessId process = new ProcessId(Integer.parseInt(name.group(1)), Long.parseLong(name.group(2)));
            if (!proc.isAlive(process)) {
                Files.deleteIfExists(file);
            } else if (snapshotOf(process).filter(snapshot::equals).isPresent()) {
                found = Optional.of(process);
            }
        }
        return found;
    }

    /** Durable when it returns. */
    void suspended(ProcessId process, SnapshotId snapshot) throws IOException {
        Path temporary = folder.resolve(".tmp-" + snapshot);
        Files.writeString(temporary, snapshot + "\n");
        sync(temporary);
        Files.move(temporary, file(process), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        sync(folder);
    }

    void resumed(ProcessId process) throws IOException {
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
        return folder.resolve(process.pid() + "-" + process.startTimeTicks());
    }
}
