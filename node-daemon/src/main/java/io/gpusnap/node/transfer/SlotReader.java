package io.gpusnap.node.transfer;

import io.gpusnap.gpu.Buffers;
import io.gpusnap.node.snapshot.ChunkSources;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.tier.Slot;
import io.gpusnap.node.tier.TierException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Queue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Reads and verifies chunks ahead of whoever takes them, in the order they were requested, into a few slots that go round.
 * For one taker.
 */
public final class SlotReader implements AutoCloseable {

    /** A chunk in a buffer that goes back to the reader after use. */
    public record Lent(MemorySegment content, MemorySegment buffer) {}

    private final ChunkSources sources;
    private final Buffers buffers = new Buffers();
    private final Queue<MemorySegment> free = new ArrayDeque<>();
    private final Queue<ChunkRef> requested = new ArrayDeque<>();
    private final Queue<Future<Lent>> reading = new ArrayDeque<>();
    private final ExecutorService executor;

    /** @param slots may be empty: then a buffer outside the pool is used, at the speed of pageable memory */
    public SlotReader(ChunkSources sources, Collection<Slot> slots, Transfer transfer) {
        this.sources = sources;
        slots.forEach(slot -> free.add(slot.memory()));
        if (free.isEmpty()) {
            free.add(Transfer.buffer(buffers));
        }
        this.executor = Executors.newFixedThreadPool(
                Math.min(transfer.threads(), free.size()),
                Thread.ofPlatform().daemon().name("slot-read-", 0).factory());
    }

    public void request(ChunkRef chunk) {
        requested.add(chunk);
        readAhead();
    }

    /** The next requested chunk, verified; its memory is lent until {@link #done}. */
    public Lent next() throws TierException, InterruptedException {
        readAhead();
        try {
            return reading.remove().get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof TierException cause) {
                throw cause;
            }
            throw new IllegalStateException("a read ahead broke", e.getCause());
        }
    }

    public void done(Lent lent) {
        free.add(lent.buffer());
        readAhead();
    }

    private void readAhead() {
        while (!requested.isEmpty() && !free.isEmpty()) {
            ChunkRef chunk = requested.remove();
            MemorySegment buffer = free.remove();
            reading.add(executor.submit(() -> {
                new VerifiedReader(sources).read(chunk, buffer);
                return new Lent(buffer.asSlice(0, chunk.sizeBytes()), buffer);
            }));
        }
    }

    @Override
    public void close() {
        executor.shutdownNow();
        executor.close();
        buffers.close();
    }
}
