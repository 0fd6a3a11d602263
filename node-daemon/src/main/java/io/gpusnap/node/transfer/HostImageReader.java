package io.gpusnap.node.transfer;

import io.gpusnap.node.snapshot.ChunkSources;
import io.gpusnap.node.snapshot.Nearby;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.Manifest.HostFile;
import io.gpusnap.node.tier.DiskErrors;
import io.gpusnap.node.tier.TierException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;

/** Makes the files of a process image again from chunks, each verified before it is written. Zero chunks become holes. */
public final class HostImageReader {

    private record Piece(Image image, long offset, ChunkRef chunk) {}

    /**
     * Threads take turns at a file here, where they sleep. The kernel lets only one write a file at a time, too, but they would spin
     * for it: a tenth of the processor time of a restore.
     */
    private record Image(Path path, FileChannel channel, Lock writing) {}

    private HostImageReader() {}

    /** Chunks go to every place where a file has them. One a thread. */
    private static final class Writing implements Nearby.Target {

        private final Map<ChunkRef, List<Piece>> pieces;
        private final Transfer transfer;
        private final MemorySegment buffer = Transfer.buffer();

        private Writing(Map<ChunkRef, List<Piece>> pieces, Transfer transfer) {
            this.pieces = pieces;
            this.transfer = transfer;
        }

        @Override
        public MemorySegment memory(ChunkRef chunk) {
            return buffer;
        }

        @Override
        public void arrived(ChunkRef chunk, MemorySegment content) throws TierException {
            for (Piece piece : pieces.getOrDefault(chunk, List.of())) {
                write(piece, content);
                transfer.progress().accept(chunk.sizeBytes());
            }
        }
    }

    /**
     * @param files names are plain (the manifest's rules); none may exist in the folder
     * @throws TierException MISSING, CORRUPT, NO_SPACE (of the folder), IO
     */
    public static void materialise(List<HostFile> files, Path folder, ChunkSources sources, Transfer transfer)
            throws TierException, InterruptedException {
        List<Image> images = new ArrayList<>();
        try {
            List<Piece> pieces = new ArrayList<>();
            for (HostFile file : files) {
                Path path = folder.resolve(file.name());
                Image image = new Image(path, create(path, file), new ReentrantLock());
                images.add(image);
                long offset = 0;
                for (ChunkRef chunk : file.chunks()) {
                    pieces.add(new Piece(image, offset, chunk));
                    offset += chunk.sizeBytes();
                }
            }
            Map<ChunkRef, List<Piece>> byChunk = new LinkedHashMap<>();
            for (Piece piece : pieces) {
                if (piece.chunk().isZero()) {
                    transfer.progress().accept(piece.chunk().sizeBytes());
                } else {
                    byChunk.computeIfAbsent(piece.chunk(), chunk -> new ArrayList<>())
                            .add(piece);
                }
            }
            Batch.each("materialise", sources, List.copyOf(byChunk.keySet()), transfer, () -> {
                BatchReader reader = new BatchReader(sources);
                Nearby.Target target = new Writing(byChunk, transfer);
                return batch -> {
                    transfer.safePoint().run();
                    reader.read(batch, target);
                };
            });
        } finally {
            close(images, folder);
        }
    }

    private static FileChannel create(Path path, HostFile file) throws TierException {
        try {
            FileChannel channel = FileChannel.open(
                    path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS);
            try {
                if (file.sizeBytes() > 0) {
                    channel.write(ByteBuffer.allocate(1), file.sizeBytes() - 1);
                }
                Files.setAttribute(path, "unix:mode", file.mode(), LinkOption.NOFOLLOW_LINKS);
                return channel;
            } catch (IOException e) {
                channel.close();
                throw e;
            }
        } catch (IOException e) {
            throw DiskErrors.typed("create", path, e);
        }
    }

    private static void write(Piece piece, MemorySegment buffer) throws TierException {
        ByteBuffer bytes = buffer.asSlice(0, piece.chunk().sizeBytes()).asByteBuffer();
        long position = piece.offset();
        piece.image().writing().lock();
        try {
            while (bytes.hasRemaining()) {
                position += piece.image().channel().write(bytes, position);
            }
        } catch (IOException e) {
            throw DiskErrors.typed("write", piece.image().path(), e);
        } finally {
            piece.image().writing().unlock();
        }
    }

    private static void close(List<Image> images, Path folder) throws TierException {
        for (Image image : images) {
            try {
                image.channel().close();
            } catch (IOException e) {
                throw DiskErrors.typed("close a file in", folder, e);
            }
        }
    }
}
