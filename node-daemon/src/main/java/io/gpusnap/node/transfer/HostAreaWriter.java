package io.gpusnap.node.transfer;

import io.gpusnap.gpu.Buffers;
import io.gpusnap.node.snapshot.SavePins;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.Manifest.HostArea;
import io.gpusnap.node.store.Manifest.MemoryRange;
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
 * Stores memory of processes, a chunk for each block, from the files that hold it. What finds a slot is kept in the pool as
 * well, for a thaw on this node.
 */
public final class HostAreaWriter {

    /**
     * @param taskId as the manifest is to have it
     * @param content file with its bytes, unchanged until the call returns
     * @param blocks in order
     */
    public record Source(int taskId, Path content, List<Block> blocks) {}

    /** @param runs in order; 4 MiB at most together */
    public record Block(List<Run> runs) {

        long sizeBytes() {
            return runs.stream().mapToLong(run -> run.range().sizeBytes()).sum();
        }
    }

    /** @param offset of its first byte in the file */
    public record Run(MemoryRange range, long offset) {}

    private record Piece(ChunkRef[] chunks, int number, MemorySegment file, Block block) {}

    private HostAreaWriter() {}

    /**
     * @return the areas' description in the given order; durable after the tier's sync
     * @throws TierException NO_SPACE (of the durable tier), IO
     */
    public static List<HostArea> store(List<Source> areas, SavePins pins, MemoryTier memory, Transfer transfer)
            throws TierException, InterruptedException {
        try (Arena arena = Arena.ofShared();
                Buffers buffers = new Buffers()) {
            Map<Path, MemorySegment> files = new HashMap<>();
            List<ChunkRef[]> described = new ArrayList<>();
            List<Piece> pieces = new ArrayList<>();
            for (Source area : areas) {
                MemorySegment file = files.get(area.content());
                if (file == null) {
                    file = map(area.content(), arena);
                    files.put(area.content(), file);
                }
                ChunkRef[] chunks = new ChunkRef[area.blocks().size()];
                described.add(chunks);
                for (int number = 0; number < chunks.length; number++) {
                    pieces.add(new Piece(chunks, number, file, area.blocks().get(number)));
                }
            }
            Crew.each("area-store", transfer.driveThreads(), TierException.class, pieces, () -> {
                TreeDigester digester = new TreeDigester();
                MemorySegment buffer = Transfer.buffer(buffers);
                return piece -> {
                    transfer.safePoint().run();
                    MemorySegment content = content(piece, buffer);
                    ChunkRef chunk = digester.digest(content);
                    pins.store(chunk, content);
                    keepHot(chunk, content, memory);
                    piece.chunks()[piece.number()] = chunk;
                    transfer.progress().accept(chunk.sizeBytes());
                };
            });
            List<HostArea> result = new ArrayList<>();
            for (int i = 0; i < areas.size(); i++) {
                Source area = areas.get(i);
                List<MemoryRange> ranges = area.blocks().stream()
                        .flatMap(block -> block.runs().stream())
                        .map(Run::range)
                        .toList();
                result.add(HostArea.of(area.taskId(), ranges, Arrays.asList(described.get(i))));
            }
            return result;
        }
    }

    /** Mostly its runs follow each other in the file, since gaps are not in there. */
    private static MemorySegment content(Piece piece, MemorySegment buffer) {
        List<Run> runs = piece.block().runs();
        long sizeBytes = piece.block().sizeBytes();
        Run last = runs.getLast();
        long first = runs.getFirst().offset();
        if (last.offset() + last.range().sizeBytes() - first == sizeBytes) {
            return piece.file().asSlice(first, sizeBytes);
        }
        long done = 0;
        for (Run run : runs) {
            MemorySegment.copy(
                    piece.file(), run.offset(), buffer, done, run.range().sizeBytes());
            done += run.range().sizeBytes();
        }
        return buffer.asSlice(0, sizeBytes);
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
