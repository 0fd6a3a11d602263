package io.gpusnap.node.engine;

import io.gpusnap.gpu.Buffers;
import io.gpusnap.gpu.GpuException;
import io.gpusnap.node.engine.device.GpuPort;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.Manifest;
import io.gpusnap.node.store.Manifest.MemoryRange;
import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.transfer.ChunkFeed;
import io.gpusnap.node.transfer.Crew;
import io.gpusnap.node.transfer.LoadedChunks;
import io.gpusnap.node.transfer.Transfer;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/**
 * The host memory that CRIU has mapped and left empty gets its content, by several threads at once; gaps in it stay untouched.
 * The process is stopped, so it meets no byte that is not there yet.
 */
final class ThawFillHost extends EngineStage {

    private record Piece(int pid, List<MemoryRange> ranges, ChunkRef chunk) {}

    /** The ranges of an area, taken chunk by chunk. */
    private static final class Places {

        private final Iterator<MemoryRange> ranges;
        private MemoryRange left = new MemoryRange(0, 0);

        Places(List<MemoryRange> ranges) {
            this.ranges = ranges.iterator();
        }

        List<MemoryRange> next(long sizeBytes) {
            List<MemoryRange> taken = new ArrayList<>();
            for (long missing = sizeBytes; missing > 0; ) {
                if (left.sizeBytes() == 0) {
                    left = ranges.next();
                }
                long bytes = Math.min(missing, left.sizeBytes());
                taken.add(new MemoryRange(left.address(), bytes));
                left = new MemoryRange(left.address() + bytes, left.sizeBytes() - bytes);
                missing -= bytes;
            }
            return taken;
        }
    }

    private final ThawSession session;

    ThawFillHost(ThawSession session) {
        super("fill-host", session.times());
        this.session = session;
    }

    @Override
    void execute(StageContext context) throws StageException, TierException, ManifestException, InterruptedException {
        NodeRuntime runtime = session.runtime();
        Manifest.Host host = session.manifest().host();
        session.renewClaim(context);
        LoadedChunks loaded = session.awaitHost(context);
        context.progress().setTotalBytes(context.progress().snapshot().doneBytes() + host.areasBytes());
        Transfer transfer = runtime.transfer(context);
        List<Piece> pieces = pieces(context, host.areas(), transfer);
        GpuPort memory = runtime.requireGpu();
        try (Buffers buffers = new Buffers()) {
            Crew.each("fill-host", transfer.threads(), StageException.class, pieces, () -> {
                ChunkFeed feed = new ChunkFeed(loaded, session.sources(), buffers);
                return piece -> {
                    transfer.safePoint().run();
                    write(memory, piece, feed);
                    transfer.progress().accept(piece.chunk().sizeBytes());
                };
            });
        }
        // Their slots are worth more to device memory from here on.
        loaded.close();
        session.ahead().ifPresent(ThawAhead::hostFilled);
    }

    @Override
    void ended(StageContext context) {
        session.rememberDamage(context);
    }

    /** Zeros are there already. */
    private List<Piece> pieces(StageContext context, List<Manifest.HostArea> areas, Transfer transfer)
            throws StageException {
        List<Piece> pieces = new ArrayList<>();
        if (areas.isEmpty()) {
            return pieces;
        }
        // Only what CRIU has just made is ever written to, whatever the manifest names.
        Map<Integer, Integer> pids = session.pidsOfTasks(context);
        for (Manifest.HostArea area : areas) {
            Integer pid = pids.get(area.taskId());
            if (pid == null) {
                throw new StageException(
                        FailureCode.WORKLOAD_LOST,
                        "task %d is not there to get its memory back, restored are %s"
                                .formatted(area.taskId(), pids.keySet()));
            }
            Places places = new Places(area.ranges());
            for (ChunkRef chunk : area.chunks()) {
                List<MemoryRange> ranges = places.next(chunk.sizeBytes());
                if (chunk.isZero()) {
                    transfer.progress().accept(chunk.sizeBytes());
                } else {
                    pieces.add(new Piece(pid, ranges, chunk));
                }
            }
        }
        return pieces;
    }

    private static void write(GpuPort memory, Piece piece, ChunkFeed feed) throws StageException, InterruptedException {
        try {
            MemorySegment content = feed.content(piece.chunk());
            long done = 0;
            for (MemoryRange range : piece.ranges()) {
                memory.writeProcess(piece.pid(), range.address(), content.asSlice(done, range.sizeBytes()));
                done += range.sizeBytes();
            }
        } catch (TierException e) {
            throw Failures.typed(e);
        } catch (GpuException e) {
            throw switch (e.status()) {
                case PEER_GONE, NO_HOST_MEMORY -> Failures.typed(e);
                case PERMISSION -> new StageException(FailureCode.CAPABILITY_MISSING, text(e), e);
                default -> new StageException(FailureCode.CRIU_FAILED, "not restored as saved: " + text(e), e);
            };
        }
    }

    private static String text(GpuException e) {
        return String.valueOf(e.getMessage());
    }
}
