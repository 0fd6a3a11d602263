package io.gpusnap.node.tier.nfs;

import com.sun.nio.file.ExtendedOpenOption;
import io.gpusnap.node.file.Folders;
import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;

/** The calls as the kernel answers them. */
final class MountedFiles implements ShareFiles {

    private static final int PAGE_BYTES = 4096;

    @Override
    public void writeNew(Path file, MemorySegment content) throws IOException {
        try (FileChannel channel = FileChannel.open(
                file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS)) {
            ByteBuffer bytes = content.asByteBuffer();
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            channel.force(true);
        }
    }

    @Override
    public void link(Path file, Path newName) throws IOException {
        Files.createLink(newName, file);
    }

    @Override
    public void rename(Path from, Path to) throws IOException {
        Files.move(from, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    @Override
    public void syncFolder(Path folder) throws IOException {
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    @Override
    public void createFolder(Path folder) throws IOException {
        Files.createDirectories(folder);
        if (Files.isSymbolicLink(folder)) {
            throw new IOException(folder + " is a symbolic link");
        }
    }

    @Override
    public BasicFileAttributes attributes(Path file) throws IOException {
        return Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
    }

    @Override
    public long read(Path file, long wholeBytes, long offset, MemorySegment target, boolean direct) throws IOException {
        if (direct) {
            try (Arena arena = Arena.ofConfined();
                    FileChannel channel = FileChannel.open(
                            file, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS, ExtendedOpenOption.DIRECT)) {
                MemorySegment aligned =
                        arena.allocate(Math.ceilDiv(target.byteSize(), PAGE_BYTES) * PAGE_BYTES, PAGE_BYTES);
                long sizeBytes = channel.size();
                if (sizeBytes == wholeBytes) {
                    readUpTo(channel, offset, aligned.asByteBuffer(), target.byteSize());
                    target.copyFrom(aligned.asSlice(0, target.byteSize()));
                }
                return sizeBytes;
            } catch (NoSuchFileException e) {
                throw e;
            } catch (IOException | UnsupportedOperationException e) {
                // Not every file system has O_DIRECT, and not all say so in the same way: the plain read judges.
                return read(file, wholeBytes, offset, target, false);
            }
        }
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS)) {
            long sizeBytes = channel.size();
            if (sizeBytes == wholeBytes) {
                readUpTo(channel, offset, target.asByteBuffer(), target.byteSize());
            }
            return sizeBytes;
        }
    }

    private static void readUpTo(FileChannel channel, long offset, ByteBuffer bytes, long neededBytes)
            throws IOException {
        while (bytes.position() < neededBytes) {
            int read = channel.read(bytes, offset + bytes.position());
            if (read <= 0) {
                throw new EOFException("the file ended at " + (offset + bytes.position()));
            }
        }
    }

    @Override
    public List<Path> list(Path folder) throws IOException {
        return Folders.list(folder);
    }

    @Override
    public boolean delete(Path file) throws IOException {
        return Files.deleteIfExists(file);
    }

    @Override
    public long[] space(Path folder) throws IOException {
        FileStore store = Files.getFileStore(folder);
        return new long[] {store.getTotalSpace(), store.getUsableSpace()};
    }
}
