package io.gpusnap.node.engine.check;

import io.gpusnap.gpu.Descriptor;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.store.ContainerPart;
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

    /**
     * @param root below which the paths begin: the node's own, or that of a container
     * @throws StageException PATH_MISSING when the way to a file cannot be trusted
     */
    public static void prepare(Path root, Manifest.ProcessImage process) throws StageException, IOException {
        for (Manifest.OpenFile file : process.openFiles()) {
            if (isWriteOnly(file)) {
                visit(root, file, process, true);
            }
        }
    }

    /**
     * The folders of the sockets that the process has bound: the preload's lives in a place that a restart of the node
     * empties.
     *
     * @throws StageException PATH_MISSING when the way to one cannot be trusted
     */
    public static void prepareSocketFolders(Path root, Manifest.ProcessImage process)
            throws StageException, IOException {
        for (String socket : process.unixSockets()) {
            SavedFolder.ofSocket(root, folderOf(Path.of(socket)), process, true).close();
        }
    }

    /**
     * A file that was written in the saved container, with its content. What another of the same path has in the new one is
     * set aside.
     *
     * @param content readable until this returns
     * @throws StageException PATH_MISSING when the way to it cannot be trusted
     */
    public static void put(Path root, ContainerPart.WrittenFile file, Path content, Manifest.ProcessImage process)
            throws StageException, IOException {
        Path path = Path.of(file.path());
        String name = Objects.requireNonNull(path.getFileName()).toString();
        try (SavedFolder folder = SavedFolder.ofSocket(root, folderOf(path), process, true)) {
            Path here = folder.descriptor().path();
            try (Descriptor found = folder.descriptor().look(name)) {
                if (!FileFacts.of(found.path()).isRegular()) {
                    throw folder.refused(path, "is not a regular file");
                }
                setAside(here, name);
            } catch (NoSuchFileException missing) {
                // As it should be.
            }
            try (Descriptor made = folder.descriptor().create(name)) {
                copyStart(content, made.path(), file.sizeBytes());
                SavedFolder.own(made, (int) file.uid(), (int) file.gid());
                Files.setAttribute(made.path(), "unix:mode", file.mode());
            }
        }
    }

    /**
     * What {@link #prepare} would refuse; changes nothing.
     *
     * @throws NoSuchFileException when its folder is not there
     */
    static void check(Path root, Manifest.OpenFile file, Manifest.ProcessImage process)
            throws StageException, IOException {
        visit(root, file, process, false);
    }

    private static void visit(Path root, Manifest.OpenFile file, Manifest.ProcessImage process, boolean change)
            throws StageException, IOException {
        Path path = Path.of(file.path());
        String name = Objects.requireNonNull(path.getFileName()).toString();
        try (SavedFolder folder = SavedFolder.ofFile(root, folderOf(path), process)) {
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
        setAside(here, name);
        try (Descriptor made = folder.descriptor().create(name)) {
            lengthen(made, sizeBytes);
            copyStart(old.path(), made.path(), sizeBytes);
            SavedFolder.own(made, facts.uid(), facts.gid());
            Files.setAttribute(made.path(), "unix:mode", facts.permissions());
        }
    }

    private static void setAside(Path folder, String name) throws IOException {
        Files.move(folder.resolve(name), folder.resolve(name + ".before-thaw-" + STAMP.format(Instant.now())));
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
