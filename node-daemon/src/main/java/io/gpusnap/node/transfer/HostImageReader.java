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

/** Makes the files of a process image again from chunks, each verified before it is written. Zero chunks become holes. */
public final class HostImageReader {

    private record Piece(Path file, FileChannel channel, long offset, ChunkRef chunk) {}

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
        List<FileChannel> channels = new ArrayList<>();
        try {
            List<Piece> pieces = new ArrayList<>();
            for (HostFile file : files) {
                Path path = folder.resolve(file.name());
                FileChannel channel = create(path, file);
                channels.add(channel);
                long offset = 0;
                for (ChunkRef chunk : file.chunks()) {
                    pieces.add(new Piece(path, channel, offset, chunk));
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
            List<Batch> batches = Batch.of(sources, List.copyOf(byChunk.keySet()));
            Crew.each("materialise", transfer.driveThreads(), TierException.class, batches, () -> {
                BatchReader reader = new BatchReader(sources);
                Nearby.Target target = new Writing(byChunk, transfer);
                return batch -> {
                    transfer.safePoint().run();
                    reader.read(batch, target);
                };
            });
        } finally {
            close(channels, folder);
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
        try {
            ByteBuffer bytes = buffer.asSlice(0, piece.chunk().sizeBytes()).asByteBuffer();
            long position = piece.offset();
            while (bytes.hasRemaining()) {
                position += piece.channel().write(bytes, position);
            }
        } catch (IOException e) {
            throw DiskErrors.typed("write", piece.file(), e);
        }
    }

    private static void close(List<FileChannel> channels, Path folder) throws TierException {
        for (FileChannel channel : channels) {
            try {
                channel.close();
            } catch (IOException e) {
                throw DiskErrors.typed("close a file in", folder, e);
            }
        }
    }
}
