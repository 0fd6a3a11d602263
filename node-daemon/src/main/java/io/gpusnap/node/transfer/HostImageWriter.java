package io.gpusnap.node.transfer;

import io.gpusnap.node.snapshot.SavePins;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.HostChunker;
import io.gpusnap.node.store.LeafTable;
import io.gpusnap.node.store.Manifest.HostFile;
import io.gpusnap.node.tier.DiskErrors;
import io.gpusnap.node.tier.TierException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/**
 * Cuts the files of a process image into chunks and stores them. Pages are hashed by some threads, and what can be cut of them
 * is stored by others meanwhile: hashing waits for nothing, and storing waits for the drive.
 */
public final class HostImageWriter {

    private record Image(Path path, int mode, MemorySegment content, LeafTable leaves, List<ChunkRef> chunks) {}

    private record Block(Image image, int number) {}

    private record Piece(MemorySegment content, ChunkRef chunk) {}

    private HostImageWriter() {}

    /**
     * @param files regular files, unchanged until the call returns; progress counts their bytes
     * @return their description in the given order; durable after the tier's sync
     * @throws TierException NO_SPACE, IO
     */
    public static List<HostFile> store(List<Path> files, SavePins pins, Transfer transfer)
            throws TierException, InterruptedException {
        try (Arena arena = Arena.ofShared()) {
            List<Image> images = new ArrayList<>();
            for (Path file : files) {
                images.add(map(file, arena));
            }
            try (Crew<Piece, TierException> writers =
                    new Crew<>("host-store", transfer.driveThreads(), TierException.class, () -> piece -> {
                        transfer.safePoint().run();
                        pins.store(piece.chunk(), piece.content());
                        transfer.progress().accept(piece.chunk().sizeBytes());
                    })) {
                hash(images, writers, transfer);
                writers.finish();
            }
            return images.stream()
                    .map(image -> new HostFile(
                            image.path().getFileName().toString(),
                            image.content().byteSize(),
                            image.mode(),
                            image.chunks()))
                    .toList();
        }
    }

    private static void hash(List<Image> images, Crew<Piece, TierException> writers, Transfer transfer)
            throws TierException, InterruptedException {
        List<Block> blocks = new ArrayList<>();
        for (Image image : images) {
            for (int block = 0; block < image.leaves().blocks(); block++) {
                blocks.add(new Block(image, block));
            }
        }
        Crew.each("host-hash", transfer.threads(), TierException.class, blocks, () -> {
            HostChunker chunker = new HostChunker();
            return block -> {
                transfer.safePoint().run();
                writers.check();
                chunker.hashBlock(
                        block.image().content(), block.number(), block.image().leaves());
                cut(block.image(), writers);
            };
        });
    }

    private static void cut(Image image, Crew<Piece, TierException> writers) {
        synchronized (image.leaves()) {
            long offset = image.leaves().cutBytes();
            for (ChunkRef chunk : image.leaves().cut()) {
                writers.submit(new Piece(image.content().asSlice(offset, chunk.sizeBytes()), chunk));
                image.chunks().add(chunk);
                offset += chunk.sizeBytes();
            }
        }
    }

    private static Image map(Path file, Arena arena) throws TierException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS)) {
            long size = channel.size();
            MemorySegment content =
                    size == 0 ? MemorySegment.NULL : channel.map(FileChannel.MapMode.READ_ONLY, 0, size, arena);
            int mode = (Integer) Files.getAttribute(file, "unix:mode", LinkOption.NOFOLLOW_LINKS) & 0777;
            return new Image(file, mode, content, new LeafTable(size), new ArrayList<>());
        } catch (IOException e) {
            throw DiskErrors.typed("read", file, e);
        }
    }
}
