package io.gpusnap.node.engine.check;

import io.gpusnap.gpu.Descriptor;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.store.Manifest;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Objects;

/**
 * Makes the files ready that a process only wrote to. CRIU wants each as long as it was, unless it is appended to. One that
 * is missing is made again, empty up to its length; one that has changed since is set aside under another name, with
 * nothing lost, and its beginning is copied to where the process expects it.
 */
public final class LogFiles {

    private static final DateTimeFormatter STAMP =
            DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss-SSS").withZone(ZoneOffset.UTC);

    private LogFiles() {}

    static boolean isWriteOnly(Manifest.OpenFile file) {
        return file.mode().equals("w") || file.mode().equals("a");
    }

    /** @throws StageException PATH_MISSING when the way to a file cannot be trusted */
    public static void prepare(Manifest.ProcessImage process) throws StageException, IOException {
        for (Manifest.OpenFile file : process.openFiles()) {
            if (isWriteOnly(file)) {
                visit(file, process, true);
            }
        }
    }

    /**
     * The folders of the sockets that the process has bound: the preload's lives in a place that a restart of the node
     * empties.
     *
     * @throws StageException PATH_MISSING when the way to one cannot be trusted
     */
    public static void prepareSocketFolders(Manifest.ProcessImage process) throws StageException, IOException {
        for (String socket : process.unixSockets()) {
            SavedFolder.ofSocket(folderOf(Path.of(socket)), process, true).close();
        }
    }

    /**
     * What {@link #prepare} would refuse; changes nothing.
     *
     * @throws NoSuchFileException when its folder is not there
     */
    static void check(Manifest.OpenFile file, Manifest.ProcessImage process) throws StageException, IOException {
        visit(file, process, false);
    }

    private static void visit(Manifest.OpenFile file, Manifest.ProcessImage process, boolean change)
            throws StageException, IOException {
        Path path = Path.of(file.path());
        String name = Objects.requireNonNull(path.getFileName()).toString();
        try (SavedFolder folder = SavedFolder.ofFile(folderOf(path), process)) {
            Descriptor found;
            try {
                found = folder.descriptor().look(name);
            } catch (NoSuchFileException missing) {
                folder.requireWritable("file " + path);
                if (change) {
                    make(folder, name, file.sizeBytes(), process);
                }
                return;
            }
            try (found) {
                FileFacts facts = FileFacts.of(found.path());
                if (!facts.isRegular()) {
                    throw folder.refused(path, facts.isLink() ? "is a symbolic link" : "is not a regular file");
                }
                if (facts.uid() != 0 && facts.uid() != process.uid()) {
                    throw folder.refused(path, "belongs to uid " + facts.uid());
                }
                if (file.mode().equals("w") && facts.sizeBytes() != file.sizeBytes()) {
                    folder.requireWritable("file " + path);
                    if (change) {
                        replace(folder, name, found, file.sizeBytes());
                    }
                }
            }
        }
    }

    private static Path folderOf(Path path) {
        return Objects.requireNonNull(path.getParent(), "a manifest's paths are absolute and name more than the root");
    }

    private static void make(SavedFolder folder, String name, long sizeBytes, Manifest.ProcessImage process)
            throws IOException {
        try (Descriptor made = folder.descriptor().create(name)) {
            lengthen(made, sizeBytes);
            SavedFolder.own(made, (int) process.uid(), (int) process.gid());
        }
    }

    private static void replace(SavedFolder folder, String name, Descriptor old, long sizeBytes) throws IOException {
        FileFacts facts = FileFacts.of(old.path());
        Path here = folder.descriptor().path();
        Files.move(here.resolve(name), here.resolve(name + ".before-thaw-" + STAMP.format(Instant.now())));
        try (Descriptor made = folder.descriptor().create(name)) {
            lengthen(made, sizeBytes);
            copyStart(old.path(), made.path(), sizeBytes);
            SavedFolder.own(made, facts.uid(), facts.gid());
            Files.setAttribute(made.path(), "unix:mode", facts.permissions());
        }
    }

    private static void lengthen(Descriptor file, long sizeBytes) throws IOException {
        if (sizeBytes > 0) {
            try (FileChannel channel = FileChannel.open(file.path(), StandardOpenOption.WRITE)) {
                channel.write(ByteBuffer.allocate(1), sizeBytes - 1);
            }
        }
    }

    private static void copyStart(Path from, Path to, long sizeBytes) throws IOException {
        try (FileChannel source = FileChannel.open(from, StandardOpenOption.READ);
                FileChannel target = FileChannel.open(to, StandardOpenOption.WRITE)) {
            long left = Math.min(sizeBytes, source.size());
            long at = 0;
            while (left > 0) {
                long copied = source.transferTo(at, left, target.position(at));
                at += copied;
                left -= copied;
            }
        }
    }
}
