package io.gpusnap.node.tier;

import com.sun.nio.file.ExtendedOpenOption;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Writes new files past the page cache: a chunk that is written is not read again before its proof, which asks the medium, so
 * a copy in the page cache costs as much time as the digest and gives nothing.
 */
final class DirectWrites {

    private static final int PAGE_BYTES = 4096;
    /** Below this a second system call outweighs what is saved. */
    private static final int LEAST_BYTES = 64 << 10;

    private final DirectSupport support = new DirectSupport();

    /**
     * Makes the file. It is on the drive, and durable once it is fsynced.
     *
     * @return false when that is not possible, for this content or here; then there is no such file
     * @throws IOException of a file system that has direct writes; what was written is left
     */
    boolean write(Path file, MemorySegment content) throws IOException {
        if (!support.possible()
                || content.byteSize() < LEAST_BYTES
                || !content.isNative()
                || content.address() % PAGE_BYTES != 0) {
            return false;
        }
        try (FileChannel channel = FileChannel.open(
                file,
                StandardOpenOption.CREATE_NEW,
                StandardOpenOption.WRITE,
                LinkOption.NOFOLLOW_LINKS,
                ExtendedOpenOption.DIRECT)) {
            write(channel, content);
            support.worked();
            return true;
        } catch (ClosedByInterruptException | FileAlreadyExistsException e) {
            throw e;
        } catch (IOException | UnsupportedOperationException e) {
            if (e instanceof IOException full && DiskErrors.isFull(full)) {
                throw full;
            }
            // Not every file system has O_DIRECT, and not all say so in the same way: the plain write judges.
            support.failed();
            Files.deleteIfExists(file);
            return false;
        }
    }

    private static void write(FileChannel channel, MemorySegment content) throws IOException {
        long whole = content.byteSize() / PAGE_BYTES * PAGE_BYTES;
        writeAll(channel, content.asSlice(0, whole).asByteBuffer());
        long rest = content.byteSize() - whole;
        if (rest > 0) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment page = arena.allocate(PAGE_BYTES, PAGE_BYTES);
                MemorySegment.copy(content, whole, page, 0, rest);
                writeAll(channel, page.asByteBuffer());
            }
            channel.truncate(content.byteSize());
        }
    }

    private static void writeAll(FileChannel channel, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }
}
