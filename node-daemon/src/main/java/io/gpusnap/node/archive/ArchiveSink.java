package io.gpusnap.node.archive;

import io.gpusnap.node.file.Folders;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

/**
 * Where the files of an archive are written: under another name, which becomes the archive's own when all of it is on the disk. It is
 * the owner's alone: it holds the memory of a process. One thread at a time.
 */
sealed interface ArchiveSink extends AutoCloseable {

    FileAttribute<Set<PosixFilePermission>> OWN_FILE =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));
    FileAttribute<Set<PosixFilePermission>> OWN_FOLDER =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));

    /** Writes a file whole. A name is given once. */
    void write(String name, ByteBuffer content) throws IOException;

    /** It exists, durable, from here on. @throws FileAlreadyExistsException when something else has its name by now */
    void commit() throws IOException;

    @Override
    void close() throws IOException;

    /**
     * @param epochSeconds what a tar's entries say when they were made
     * @param partial beside the archive; what lies there is left of a run that died
     */
    static ArchiveSink create(Path archive, Path partial, long epochSeconds) throws IOException {
        Folders.delete(partial);
        return isTar(archive) ? new TarSink(archive, partial, epochSeconds) : new FolderSink(archive, partial);
    }

    static boolean isTar(Path archive) {
        return archive.toString().endsWith(".tar");
    }

    private static void writeAll(FileChannel channel, ByteBuffer content) throws IOException {
        while (content.hasRemaining()) {
            channel.write(content);
        }
    }

    private static void publish(Path partial, Path archive) throws IOException {
        if (Files.exists(archive, LinkOption.NOFOLLOW_LINKS)) {
            throw new FileAlreadyExistsException(archive.toString());
        }
        Files.move(partial, archive, StandardCopyOption.ATOMIC_MOVE);
        Path parent = archive.toAbsolutePath().getParent();
        if (parent != null) {
            sync(parent);
        }
    }

    private static void sync(Path folder) throws IOException {
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    /** One file a file. */
    final class FolderSink implements ArchiveSink {

        private final Path archive;
        private final Path partial;

        private FolderSink(Path archive, Path partial) throws IOException {
            this.archive = archive;
            this.partial = partial;
            Files.createDirectory(partial, OWN_FOLDER);
            Files.createDirectories(partial.resolve("blobs/sha256"), OWN_FOLDER);
        }

        @Override
        public void write(String name, ByteBuffer content) throws IOException {
            try (FileChannel channel = FileChannel.open(
                    partial.resolve(name), Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), OWN_FILE)) {
                writeAll(channel, content);
                channel.force(false);
            }
        }

        @Override
        public void commit() throws IOException {
            sync(partial.resolve("blobs/sha256"));
            sync(partial.resolve("blobs"));
            sync(partial);
            publish(partial, archive);
        }

        @Override
        public void close() throws IOException {
            Folders.delete(partial);
        }
    }

    /** All in one file. */
    final class TarSink implements ArchiveSink {

        private static final int FILE_MODE = 0600;

        private final Path archive;
        private final Path partial;
        private final long epochSeconds;
        private final FileChannel channel;

        private TarSink(Path archive, Path partial, long epochSeconds) throws IOException {
            this.archive = archive;
            this.partial = partial;
            this.epochSeconds = epochSeconds;
            this.channel = FileChannel.open(
                    partial, Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), OWN_FILE);
        }

        @Override
        public void write(String name, ByteBuffer content) throws IOException {
            int size = content.remaining();
            byte[] header = new TarHeader(name, size, TarHeader.FILE).write(FILE_MODE, epochSeconds);
            writeAll(channel, ByteBuffer.wrap(header));
            writeAll(channel, content);
            writeAll(channel, ByteBuffer.allocate((TarHeader.BYTES - size % TarHeader.BYTES) % TarHeader.BYTES));
        }

        @Override
        public void commit() throws IOException {
            writeAll(channel, ByteBuffer.allocate(2 * TarHeader.BYTES));
            channel.force(true);
            publish(partial, archive);
        }

        @Override
        public void close() throws IOException {
            channel.close();
            Files.deleteIfExists(partial);
        }
    }
}
