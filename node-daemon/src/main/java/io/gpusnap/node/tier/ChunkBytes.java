package io.gpusnap.node.tier;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.stream.Stream;

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
        long sum = 0;
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : (Iterable<Path>) files.filter(Files::isRegularFile)::iterator) {
                sum += size(file);
            }
        }
        return sum;
    }

    private static long size(Path file) throws IOException {
        try {
            return Files.size(file);
        } catch (NoSuchFileException e) {
            return 0; // deleted while we looked
        }
    }
}
