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

/** Cuts the files of a process image into chunks and stores them: all pages are hashed first, in parallel, then cut. */
public final class HostImageWriter {

    private record Image(Path path, int mode, MemorySegment content, LeafTable leaves) {}

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
            hash(images, transfer);
            List<HostFile> described = new ArrayList<>();
            List<Piece> pieces = new ArrayList<>();
            for (Image image : images) {
                List<ChunkRef> chunks = image.leaves().cut();
                described.add(new HostFile(
                        image.path().getFileName().toString(), image.content().byteSize(), image.mode(), chunks));
                long offset = 0;
                for (ChunkRef chunk : chunks) {
                    pieces.add(new Piece(image.content().asSlice(offset, chunk.sizeBytes()), chunk));
                    offset += chunk.sizeBytes();
                }
            }
            Crew.each("host-store", transfer.threads(), TierException.class, pieces, () -> piece -> {
                transfer.safePoint().run();
                pins.store(piece.chunk(), piece.content());
                transfer.progress().accept(piece.chunk().sizeBytes());
            });
            return described;
        }
    }

    private static void hash(List<Image> images, Transfer transfer) throws TierException, InterruptedException {
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
                chunker.hashBlock(
                        block.image().content(), block.number(), block.image().leaves());
            };
        });
    }

    private static Image map(Path file, Arena arena) throws TierException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS)) {
            long size = channel.size();
            MemorySegment content =
                    size == 0 ? MemorySegment.NULL : channel.map(FileChannel.MapMode.READ_ONLY, 0, size, arena);
            int mode = (Integer) Files.getAttribute(file, "unix:mode", LinkOption.NOFOLLOW_LINKS) & 0777;
            return new Image(file, mode, content, new LeafTable(size));
        } catch (IOException e) {
            throw DiskErrors.typed("read", file, e);
        }
    }
}
