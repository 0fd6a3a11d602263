package io.gpusnap.node.transfer;

import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.Manifest.HostFile;
import io.gpusnap.node.tier.ChunkTier.ReadFrom;
import io.gpusnap.node.tier.DiskErrors;
import io.gpusnap.node.tier.NvmeTier;
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
import java.util.List;

/** Makes the files of a process image again from chunks, each verified before it is written. Zero chunks become holes. */
public final class HostImageReader {

    private record Piece(Path file, FileChannel channel, long offset, ChunkRef chunk) {}

    private HostImageReader() {}

    /**
     * @param files names are plain (the manifest's rules); none may exist in the folder
     * @throws TierException MISSING, CORRUPT, NO_SPACE (of the folder), IO
     */
    public static void materialise(List<HostFile> files, Path folder, NvmeTier nvme, Transfer transfer)
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
            Crew.each("materialise", transfer.threads(), TierException.class, pieces, () -> {
                VerifiedReader reader = new VerifiedReader(nvme);
                MemorySegment buffer = Transfer.buffer();
                return piece -> {
                    transfer.safePoint().run();
                    if (!piece.chunk().isZero()) {
                        reader.read(piece.chunk(), buffer, ReadFrom.ANYWHERE);
                        write(piece, buffer);
                    }
                    transfer.progress().accept(piece.chunk().sizeBytes());
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
