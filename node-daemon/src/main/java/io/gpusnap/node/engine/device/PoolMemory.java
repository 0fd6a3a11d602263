package io.gpusnap.node.engine.device;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

/** The mapped pool, page-locked or not. */
public interface PoolMemory extends AutoCloseable {

    MemorySegment memory();

    boolean pinned();

    /** After the last use of the memory. */
    @Override
    void close();

    /** A pool for nodes without a driver: the same file, mapped by Java, at the speed of pageable memory. */
    static PoolMemory unpinned(Path file, long sizeBytes) throws IOException {
        prepareFolder(file);
        try (FileChannel channel = FileChannel.open(
                file,
                Set.of(
                        StandardOpenOption.CREATE,
                        StandardOpenOption.READ,
                        StandardOpenOption.WRITE,
                        LinkOption.NOFOLLOW_LINKS),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")))) {
            return new Unpinned(channel.map(FileChannel.MapMode.READ_WRITE, 0, sizeBytes, Arena.ofAuto()));
        }
    }

    /** @throws UnsafeFolderException when another user could look into the pool or replace it */
    static void prepareFolder(Path file) throws IOException {
        PrivateFolder.prepareFor("memory.poolPath", file);
    }

    record Unpinned(MemorySegment memory) implements PoolMemory {

        @Override
        public boolean pinned() {
            return false;
        }

        /** The mapping goes when nothing refers to it any more. */
        @Override
        public void close() {}
    }
}
