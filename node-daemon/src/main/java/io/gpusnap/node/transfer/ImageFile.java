package io.gpusnap.node.transfer;

import io.gpusnap.gpu.MappedPages;
import io.gpusnap.node.store.Manifest.HostFile;
import io.gpusnap.node.tier.DiskErrors;
import io.gpusnap.node.tier.TierException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A file of a process image while it is made again. Thread-safe.
 *
 * <p>The kernel lets one thread write a file at a time. Where that is memory, as on a tmpfs, making its pages is most of the work, and a
 * fast drive brings more than one thread can write. So while one writes, others may write beside it, through a mapping: each page
 * costs twice as much then, but by as many threads as there are. See decision 0340.
 */
final class ImageFile implements AutoCloseable {

    /** Below this nobody waits for long. */
    static final long LEAST_MAPPED_BYTES = 64L << 20;

    private static final int PAGE_BYTES = 4096;
    private static final String TMPFS = "tmpfs";
    /** The others read and hash. */
    private static final int CORES_FOR_ONE = 4;

    private final Path path;
    private final FileChannel channel;
    private final Semaphore beside;
    private final @Nullable MemorySegment mapping;
    /** Threads take turns here, where they sleep: in the kernel they would spin for it, a tenth of the processor time of a restore. */
    private final Lock turn = new ReentrantLock();

    private ImageFile(Path path, FileChannel channel, long sizeBytes, Semaphore beside, Arena arena)
            throws IOException {
        this.path = path;
        this.channel = channel;
        this.beside = beside;
        this.mapping = beside.availablePermits() > 0 && sizeBytes >= LEAST_MAPPED_BYTES
                ? channel.map(FileChannel.MapMode.READ_WRITE, 0, sizeBytes, arena)
                : null;
    }

    /** How many may write beside whoever has the turn, in all files of a folder together. */
    static Semaphore beside(Path folder) throws TierException {
        try {
            boolean memory = Files.getFileStore(folder).type().equals(TMPFS);
            return new Semaphore(memory ? Runtime.getRuntime().availableProcessors() / CORES_FOR_ONE : 0);
        } catch (IOException e) {
            throw DiskErrors.typed("look at", folder, e);
        }
    }

    /**
     * Makes the file, a single hole of its size.
     *
     * @param arena of its mapping; outlives the last write
     * @throws TierException NO_SPACE, IO; also when there is one
     */
    static ImageFile create(Path path, HostFile file, Semaphore beside, Arena arena) throws TierException {
        try {
            FileChannel channel = FileChannel.open(
                    path,
                    StandardOpenOption.CREATE_NEW,
                    StandardOpenOption.READ,
                    StandardOpenOption.WRITE,
                    LinkOption.NOFOLLOW_LINKS);
            try {
                if (file.sizeBytes() > 0) {
                    channel.write(ByteBuffer.allocate(1), file.sizeBytes() - 1);
                }
                Files.setAttribute(path, "unix:mode", file.mode(), LinkOption.NOFOLLOW_LINKS);
                return new ImageFile(path, channel, file.sizeBytes(), beside, arena);
            } catch (IOException e) {
                channel.close();
                throw e;
            }
        } catch (IOException e) {
            throw DiskErrors.typed("create", path, e);
        }
    }

    /** @throws TierException NO_SPACE, IO */
    void write(MemorySegment content, long offset) throws TierException {
        if (!turn.tryLock()) {
            if (writeBeside(content, offset)) {
                return;
            }
            turn.lock();
        }
        try {
            ByteBuffer bytes = content.asByteBuffer();
            long position = offset;
            while (bytes.hasRemaining()) {
                position += channel.write(bytes, position);
            }
        } catch (IOException e) {
            throw DiskErrors.typed("write", path, e);
        } finally {
            turn.unlock();
        }
    }

    /** @return false when it has to wait for its turn: also when there is no room, which the kernel says there */
    boolean writeBeside(MemorySegment content, long offset) {
        if (mapping == null || offset % PAGE_BYTES != 0 || !beside.tryAcquire()) {
            return false;
        }
        try {
            MemorySegment place = mapping.asSlice(offset, content.byteSize());
            if (!MappedPages.make(place)) {
                return false;
            }
            place.copyFrom(content);
            MappedPages.letGo(place); // by many threads now rather than by one at the end
            return true;
        } finally {
            beside.release();
        }
    }

    /** Nobody writes any more. */
    @Override
    public void close() throws TierException {
        try {
            channel.close();
        } catch (IOException e) {
            throw DiskErrors.typed("close", path, e);
        }
    }
}
