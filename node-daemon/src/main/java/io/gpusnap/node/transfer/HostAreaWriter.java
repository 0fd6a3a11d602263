package io.gpusnap.node.transfer;

import io.gpusnap.node.snapshot.SavePins;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.Manifest.HostArea;
import io.gpusnap.node.store.TreeDigester;
import io.gpusnap.node.tier.DiskErrors;
import io.gpusnap.node.tier.MemoryTier;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Stores memory of processes in fixed chunks, straight from the files that hold it. What finds a slot is kept in the pool as
 * well, for a thaw on this node.
 */
public final class HostAreaWriter {

    /**
     * @param content file with the area's bytes from offset on, unchanged until the call returns
     * @param taskId as the manifest is to have it
     */
    public record Source(int taskId, long address, Path content, long offset, long sizeBytes) {}

    private record Piece(ChunkRef[] chunks, int number, MemorySegment content) {}

    private HostAreaWriter() {}

    /**
     * @return the areas' description in the given order; durable after the tier's sync
     * @throws TierException NO_SPACE (of the durable tier), IO
     */
    public static List<HostArea> store(List<Source> areas, SavePins pins, MemoryTier memory, Transfer transfer)
            throws TierException, InterruptedException {
        try (Arena arena = Arena.ofShared()) {
            Map<Path, MemorySegment> files = new HashMap<>();
            List<ChunkRef[]> described = new ArrayList<>();
            List<Piece> pieces = new ArrayList<>();
            for (Source area : areas) {
                MemorySegment file = files.get(area.content());
                if (file == null) {
                    file = map(area.content(), arena);
                    files.put(area.content(), file);
                }
                ChunkRef[] chunks =
                        new ChunkRef[Math.toIntExact(Math.ceilDiv(area.sizeBytes(), TreeDigester.MAX_CHUNK_BYTES))];
                described.add(chunks);
                for (int number = 0; number < chunks.length; number++) {
                    long start = (long) number * TreeDigester.MAX_CHUNK_BYTES;
                    long sizeBytes = Math.min(TreeDigester.MAX_CHUNK_BYTES, area.sizeBytes() - start);
                    pieces.add(new Piece(chunks, number, file.asSlice(area.offset() + start, sizeBytes)));
                }
            }
            Crew.each("area-store", transfer.threads(), TierException.class, pieces, () -> {
                TreeDigester digester = new TreeDigester();
                return piece -> {
                    transfer.safePoint().run();
                    ChunkRef chunk = digester.digest(piece.content());
                    pins.store(chunk, piece.content());
                    keepHot(chunk, piece.content(), memory);
                    piece.chunks()[piece.number()] = chunk;
                    transfer.progress().accept(chunk.sizeBytes());
                };
            });
            List<HostArea> result = new ArrayList<>();
            for (int i = 0; i < areas.size(); i++) {
                Source area = areas.get(i);
                result.add(new HostArea(
                        area.taskId(),
                        "0x" + Long.toHexString(area.address()),
                        area.sizeBytes(),
                        Arrays.asList(described.get(i))));
            }
            return result;
        }
    }

    private static void keepHot(ChunkRef chunk, MemorySegment content, MemoryTier memory) throws TierException {
        if (chunk.content().isEmpty()) {
            return;
        }
        try {
            memory.put(chunk.content().get(), content);
        } catch (TierException e) {
            if (e.reason() != Reason.NO_SPACE) {
                throw e;
            }
            // Every slot is in use: it is read from the durable tier then.
        }
    }

    private static MemorySegment map(Path file, Arena arena) throws TierException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS)) {
            return channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
        } catch (IOException e) {
            throw DiskErrors.typed("read", file, e);
        }
    }
}
