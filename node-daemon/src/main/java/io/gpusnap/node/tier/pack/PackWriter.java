package io.gpusnap.node.tier.pack;

import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.tier.TierException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.function.Supplier;

/**
 * Makes the packs of one copy. The same copy, begun again after a crash, cuts the same packs, so those that were finished are
 * left alone, and of a half-uploaded one the parts that are there are used.
 */
public final class PackWriter {

    /** Chunks that become one pack, in order. */
    public record Plan(List<ChunkRef> chunks, boolean done) {

        public Plan {
            chunks = List.copyOf(chunks);
        }

        public long sizeBytes() {
            return chunks.stream().mapToLong(ChunkRef::sizeBytes).sum();
        }

        long mostBytes() {
            return sizeBytes() + (long) chunks.size() * PackEntry.MOST_OVERHEAD_BYTES;
        }
    }

    /** Reads a chunk's verified content. */
    @FunctionalInterface
    public interface Content {
        MemorySegment of(ChunkRef chunk) throws TierException, InterruptedException;
    }

    /** Whether the store has a chunk so that a copy may share it. */
    interface Known {
        boolean has(ChunkRef chunk) throws TierException;
    }

    private final PackTier tier;
    private final Supplier<Frames> frames;
    private final UUID copy;
    private final Set<ChunkDigest> earlier;
    private final Known there;

    /** @param earlier what this copy has brought before */
    PackWriter(PackTier tier, Supplier<Frames> frames, UUID copy, Set<ChunkDigest> earlier, Known there) {
        this.tier = tier;
        this.frames = frames;
        this.copy = copy;
        this.earlier = earlier;
        this.there = there;
    }

    /**
     * @param chunks of the snapshot, each once, in the manifest's order
     * @return packs of what the store lacks or this copy has brought there before
     */
    public List<Plan> plan(Collection<ChunkRef> chunks) throws TierException {
        tier.dropLost(chunks);
        List<Plan> plans = new ArrayList<>();
        List<ChunkRef> pack = new ArrayList<>();
        long sizeBytes = 0;
        for (ChunkRef chunk : chunks) {
            boolean ours = chunk.content().filter(earlier::contains).isPresent();
            if (!ours && isThere(chunk)) {
                continue;
            }
            int most = chunk.sizeBytes() + PackEntry.MOST_OVERHEAD_BYTES;
            if (!pack.isEmpty() && sizeBytes + most > tier.settings().packBytes()) {
                plans.add(plan(pack));
                pack.clear();
                sizeBytes = 0;
            }
            pack.add(chunk);
            sizeBytes += most;
        }
        if (!pack.isEmpty()) {
            plans.add(plan(pack));
        }
        return plans;
    }

    private Plan plan(List<ChunkRef> pack) throws TierException {
        boolean done = true;
        for (ChunkRef chunk : pack) {
            done &= isThere(chunk);
        }
        return new Plan(pack, done);
    }

    private boolean isThere(ChunkRef chunk) throws TierException {
        return chunk.isZero() || there.has(chunk);
    }

    /** Memory for one pack after another. One thread at a time. */
    public final class Desk implements AutoCloseable {

        private final PackBuffer buffer;

        private Desk(long packBytes) {
            this.buffer = new PackBuffer(packBytes, frames);
        }

        /** @return bytes that the pack takes in the store */
        public long write(Plan plan, Content content) throws TierException, InterruptedException {
            buffer.clear();
            for (ChunkRef chunk : plan.chunks()) {
                buffer.add(new ChunkDigest(chunk.digest()), content.of(chunk));
            }
            return tier.publish(buffer, copy).sizeBytes();
        }

        @Override
        public void close() {
            buffer.close();
        }
    }

    /** With room for any of these. */
    public Desk desk(Collection<Plan> plans) {
        return new Desk(plans.stream().mapToLong(Plan::mostBytes).max().orElse(1));
    }
}
