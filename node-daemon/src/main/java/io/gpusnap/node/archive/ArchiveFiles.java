package io.gpusnap.node.archive;

import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;

/**
 * The files of an archive, by name, to be read only. Only names that this program makes up are looked for, nothing is unpacked, and
 * links are not followed: whatever else an archive names is never touched. Thread-safe.
 */
interface ArchiveFiles extends AutoCloseable {

    /** Empty when there is no such regular file. */
    OptionalLong size(String name) throws IOException;

    /** Fills the rest of the buffer. @throws TierException MISSING when the file ends before */
    void read(String name, long offset, ByteBuffer target) throws IOException, TierException;

    @Override
    void close() throws IOException;

    /**
     * @throws ManifestException when it is neither a folder nor a tar, or leads elsewhere
     * @throws TierException MISSING when it is a tar that was cut off
     */
    static ArchiveFiles open(Path archive) throws IOException, TierException, ManifestException {
        return Files.isDirectory(archive) ? FolderFiles.open(archive) : TarFiles.open(archive);
    }

    /** A whole file. @throws TierException MISSING; CORRUPT when it has more than is read */
    default byte[] readAll(String name, int mostBytes) throws IOException, TierException {
        long size = size(name).orElseThrow(() -> new TierException(Reason.MISSING, "the archive has no " + name));
        if (size > mostBytes) {
            throw new TierException(
                    Reason.CORRUPT,
                    "%s of the archive has %d bytes, at most %d are read".formatted(name, size, mostBytes));
        }
        byte[] bytes = new byte[(int) size];
        read(name, 0, ByteBuffer.wrap(bytes));
        return bytes;
    }

    /** Reads at a place of a file, to the end of the buffer. */
    static void fill(FileChannel channel, long position, ByteBuffer target, String name)
            throws IOException, TierException {
        long at = position;
        while (target.hasRemaining()) {
            int read = channel.read(target, at);
            if (read <= 0) {
                throw new TierException(Reason.MISSING, "the archive ends in the middle of " + name);
            }
            at += read;
        }
    }

    /** A folder. */
    record FolderFiles(Path root) implements ArchiveFiles {

        /** Those in which blobs lie, by the names that this program makes up. */
        private static final List<String> FOLDERS = List.of("blobs", "blobs/sha256");

        /** @throws ManifestException when a folder of it is a link */
        static FolderFiles open(Path root) throws ManifestException {
            for (String folder : FOLDERS) {
                if (Files.isSymbolicLink(root.resolve(folder))) {
                    throw new ManifestException(root.resolve(folder) + " is a symbolic link");
                }
            }
            return new FolderFiles(root);
        }

        @Override
        public OptionalLong size(String name) throws IOException {
            Path file = root.resolve(name);
            return Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)
                    ? OptionalLong.of(Files.size(file))
                    : OptionalLong.empty();
        }

        @Override
        public void read(String name, long offset, ByteBuffer target) throws IOException, TierException {
            try (FileChannel channel = FileChannel.open(
                    root.resolve(name), java.nio.file.StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS)) {
                fill(channel, offset, target, name);
            }
        }

        @Override
        public void close() {
            // nothing is held
        }
    }
}
