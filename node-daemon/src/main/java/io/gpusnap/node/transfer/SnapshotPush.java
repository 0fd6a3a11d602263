package io.gpusnap.node.transfer;

import io.gpusnap.gpu.Buffers;
import io.gpusnap.node.snapshot.ChunkSources;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.pack.PackTier;
import io.gpusnap.node.tier.pack.PackWriter;
import io.gpusnap.node.tier.pack.SharedObject;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.LongAdder;

/**
 * Copies a snapshot into a shared store: what the store lacks of its chunks, in packs, and last the manifest. A few packs at a
 * time, each in memory while it is made: that is what a copy takes, however large the snapshot.
 */
public final class SnapshotPush {

    private static final int PACKS_AT_ONCE = 2;

    /**
     * @param movedBytes of chunks that were read and sent
     * @param storedBytes what the store holds more
     */
    public record Copied(long movedBytes, long storedBytes) {}

    private final PackTier tier;
    private final ChunkSources sources;
    private final UUID copy;

    /**
     * @param sources of chunks; the tier itself is left out
     * @param copy the same one after a crash, so that what was finished is found; never one that was used before
     */
    public SnapshotPush(PackTier tier, ChunkSources sources, UUID copy) {
        this.tier = tier;
        this.sources = sources.without(tier);
        this.copy = copy;
    }

    /**
     * Brings the chunks. What the store has is looked up now.
     *
     * @param totalBytes is told how much there is to do
     */
    public Copied chunks(
            Collection<ChunkRef> chunks,
            Transfer transfer,
            Traffic.Share share,
            java.util.function.LongConsumer totalBytes)
            throws TierException, InterruptedException {
        tier.refresh();
        PackWriter writer = tier.writer(copy);
        List<PackWriter.Plan> plans = writer.plan(ChunkVerifier.distinct(chunks));
        totalBytes.accept(plans.stream().mapToLong(PackWriter.Plan::sizeBytes).sum());
        LongAdder moved = new LongAdder();
        LongAdder stored = new LongAdder();
        int threads = Math.min(PACKS_AT_ONCE, transfer.threads());
        List<PackWriter.Desk> desks = new ArrayList<>();
        try (Buffers buffers = new Buffers()) {
            Crew.each("push", threads, TierException.class, plans, () -> {
                VerifiedReader reader = new VerifiedReader(sources);
                MemorySegment buffer = Transfer.buffer(buffers);
                PackWriter.Desk desk = writer.desk(plans);
                desks.add(desk);
                return plan -> {
                    transfer.safePoint().run();
                    if (plan.done()) {
                        transfer.progress().accept(plan.sizeBytes());
                        return;
                    }
                    stored.add(desk.write(plan, chunk -> {
                        share.take(chunk.sizeBytes(), transfer.safePoint()::run);
                        reader.read(chunk, buffer);
                        return buffer.asSlice(0, chunk.sizeBytes());
                    }));
                    moved.add(plan.sizeBytes());
                    transfer.progress().accept(plan.sizeBytes());
                };
            });
        } finally {
            desks.forEach(PackWriter.Desk::close);
        }
        return new Copied(moved.sum(), stored.sum());
    }

    /**
     * Makes the snapshot exist there. Repeating it is harmless.
     *
     * @return every object that it needs
     */
    public List<SharedObject> manifest(SnapshotId snapshot, byte[] manifest, Collection<ChunkRef> chunks)
            throws TierException {
        return tier.publish(snapshot, copy, manifest, ChunkVerifier.distinct(chunks));
    }
}
