package io.gpusnap.node.tier;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;

/**
 * How many bytes of chunks a store holds. A store of terabytes has a million files, too many to look at for each heartbeat:
 * they are looked at once, when somebody first asks, and followed from then on.
 */
final class ChunkBytes {

    private static final long UNKNOWN = -1;

    private long bytes = UNKNOWN;

    /** @param difference negative for what went */
    synchronized void addBytes(long difference) {
        if (bytes != UNKNOWN) {
            bytes = Math.max(0, bytes + difference);
        }
    }

    synchronized long bytes(Path chunks) throws IOException {
        if (bytes == UNKNOWN) {
            bytes = sum(chunks);
        }
        return bytes;
    }

    private static long sum(Path folder) throws IOException {
        long[] sum = {0};
        Files.walkFileTree(folder, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                sum[0] += attributes.isRegularFile() ? attributes.size() : 0;
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException failure) throws IOException {
                if (failure instanceof NoSuchFileException && !file.equals(folder)) {
                    return FileVisitResult.CONTINUE; // deleted while we looked
                }
                throw failure;
            }
        });
        return sum[0];
    }
}
