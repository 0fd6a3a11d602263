package io.gpusnap.node.tier;

import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.TreeDigester;
import io.gpusnap.node.tier.TierException.Reason;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/**
 * The pinned pool in slots of 4 MiB. A slot is free, or a clean copy of a chunk, or owned by an operation.
 *
 * <p>Operations {@link #claim} slots, fill them, {@link #settle} what is in them, and {@link #finish}: settled slots become
 * clean copies. Owned slots stay owned over a daemon's death. Readers {@link #lease} a clean copy; the least recently used
 * copy without a lease makes room, an owned or leased slot never does. A copy from an earlier daemon's life is verified when
 * it is first asked for.
 */
public final class MemoryTier implements ChunkTier {

    /** How a chunk gets into its slot. */
    @FunctionalInterface
    interface Copying {
        void copy(MemorySegment content, MemorySegment slot);
    }

    private static final Copying PLAIN = (content, slot) -> slot.copyFrom(content);

    private final Path poolPath;
    private final MemorySegment pool;
    private final Copying copying;
    private final long capacityBytes;
    private final SlotTable table;

    private MemoryTier(Path poolPath, MemorySegment pool, SlotIndex index, Copying copying) {
        this.poolPath = poolPath;
        this.pool = pool;
        this.copying = copying;
        this.capacityBytes = (long) index.slots() * Slot.BYTES;
        this.table = new SlotTable(index);
    }

    /**
     * @param pool the mapped pool, page-aligned, a multiple of 4 MiB; belongs to the caller and must outlive the tier
     * @throws TierException IO
     */
    public static MemoryTier open(Path poolPath, MemorySegment pool) throws TierException {
        return open(poolPath, pool, PLAIN);
    }

    static MemoryTier open(Path poolPath, MemorySegment pool, Copying copying) throws TierException {
        Path index = indexPath(poolPath);
        try {
            return new MemoryTier(poolPath, pool, SlotIndex.open(index, slots(pool.byteSize())), copying);
        } catch (IOException e) {
            throw DiskErrors.typed("open", index, e);
        }
    }

    /**
     * A tier that tells what is in the pool, and has no pool: nothing can be claimed to use or leased from it, and nothing is
     * written.
     *
     * @throws TierException IO
     */
    public static MemoryTier look(Path poolPath, long poolBytes) throws TierException {
        Path index = indexPath(poolPath);
        try {
            return new MemoryTier(poolPath, MemorySegment.NULL, SlotIndex.look(index, slots(poolBytes)), PLAIN);
        } catch (IOException e) {
            throw DiskErrors.typed("open", index, e);
        }
    }

    private static Path indexPath(Path poolPath) {
        return poolPath.resolveSibling(poolPath.getFileName() + ".index");
    }

    private static int slots(long poolBytes) {
        return Math.toIntExact(poolBytes / Slot.BYTES);
    }

    /** Takes up to count slots, as many as there are; they belong to the owner, also after a restart, until it finishes. */
    public List<Slot> claim(UUID owner, int count) {
        return table.claim(owner, count).stream().map(this::slot).toList();
    }

    /** As {@link #claim}, but only slots that hold nothing: no clean copy makes room. */
    public List<Slot> claimEmpty(UUID owner, int count) {
        return table.claimEmpty(owner, count).stream().map(this::slot).toList();
    }

    /** How many slots a claim could get now. */
    public int claimable() {
        return table.claimable();
    }

    /** The slot, if it belongs to the owner: how an operation finds its slots again after a restart. */
    public Optional<Slot> owned(UUID owner, int slot) {
        return table.isOwned(owner, slot) ? Optional.of(slot(slot)) : Optional.empty();
    }

    /** Notes what an owned slot holds. The caller has stored it durably, or it is a zero chunk. */
    public void settle(Slot slot, ChunkRef content) {
        table.settle(slot.index(), content);
    }

    /** Gives back one owned slot with whatever was in it. */
    public void free(Slot slot) {
        table.free(slot.index());
    }

    /** The owner has ended: settled slots become clean copies, the others are free. */
    public void finish(UUID owner) {
        table.finish(owner);
    }

    /** Frees the slots of every owner that is not named: theirs are operations that nobody remembers. */
    public void retainOwners(Collection<UUID> owners) {
        table.retainOwners(Set.copyOf(owners));
    }

    /** Turns an owned slot, whose content is verified and durable elsewhere, into a leased clean copy. */
    public Lease publish(Slot slot, ChunkDigest digest, int sizeBytes) {
        int holder = table.publish(slot.index(), digest, sizeBytes);
        return new Lease(this, holder, slot(holder).first(sizeBytes));
    }

    /** A clean copy whose content is verified, held until the lease is closed; empty: not here, or not what it was. */
    public Optional<Lease> lease(ChunkDigest digest, int sizeBytes) {
        SlotTable.Found found = table.lease(digest);
        if (found == null) {
            return Optional.empty();
        }
        Slot slot = slot(found.slot());
        if (found.sizeBytes() == sizeBytes && (found.verified() || isContent(slot.first(sizeBytes), digest))) {
            table.verified(found.slot());
            return Optional.of(new Lease(this, found.slot(), slot.first(sizeBytes)));
        }
        table.discard(digest);
        table.release(found.slot());
        return Optional.empty();
    }

    /** As {@link #lease}, but only a copy whose content was verified in this daemon's life: takes no time. */
    public Optional<Lease> leaseVerified(ChunkDigest digest, int sizeBytes) {
        SlotTable.Found found = table.lease(digest);
        if (found == null) {
            return Optional.empty();
        }
        if (found.verified() && found.sizeBytes() == sizeBytes) {
            return Optional.of(new Lease(this, found.slot(), slot(found.slot()).first(sizeBytes)));
        }
        table.release(found.slot());
        return Optional.empty();
    }

    /**
     * As {@link #leaseVerified(ChunkDigest, int)}, of many chunks in one go; repeated and zero ones are looked at once or not
     * at all.
     *
     * @param spareSlots where more than 0: how many claimable slots are left to others
     */
    public Map<ChunkRef, Lease> leaseVerified(Collection<ChunkRef> chunks, int spareSlots) {
        Map<ChunkRef, Lease> leases = new LinkedHashMap<>();
        table.leaseVerified(chunks, spareSlots)
                .forEach((chunk, slot) ->
                        leases.put(chunk, new Lease(this, slot, slot(slot).first(chunk.sizeBytes()))));
        return leases;
    }

    private static boolean isContent(MemorySegment memory, ChunkDigest digest) {
        return new TreeDigester()
                .digest(memory)
                .content()
                .filter(digest::equals)
                .isPresent();
    }

    void release(int slot) {
        table.release(slot);
    }

    private Slot slot(int slot) {
        return new Slot(slot, pool.asSlice((long) slot * Slot.BYTES, Slot.BYTES));
    }

    @Override
    public TierKind kind() {
        return TierKind.MEMORY;
    }

    @Override
    public Durability durability() {
        return Durability.PROCESS;
    }

    @Override
    public boolean contains(ChunkDigest digest, int sizeBytes) {
        return table.sizeOf(digest).orElse(-1) == sizeBytes;
    }

    @Override
    public boolean put(ChunkDigest digest, MemorySegment content) throws TierException {
        int sizeBytes = (int) content.byteSize();
        if (contains(digest, sizeBytes)) {
            return false;
        }
        table.discard(digest);
        List<Slot> claimed = claim(new UUID(0, 0), 1);
        if (claimed.isEmpty()) {
            throw new TierException(Reason.NO_SPACE, "every slot of " + poolPath + " is in use");
        }
        Slot slot = claimed.getFirst();
        boolean copied = false;
        try {
            copying.copy(content, slot.first(sizeBytes));
            copied = true;
        } finally {
            if (!copied) {
                free(slot); // the content may be a file that another has cut off meanwhile
            }
        }
        publish(slot, digest, sizeBytes).close();
        return true;
    }

    /** A no-op: the mapped file is as durable as this tier gets. */
    @Override
    public void sync() {}

    @Override
    public void read(ChunkDigest digest, int sizeBytes, MemorySegment buffer) throws TierException {
        int found = table.sizeOf(digest).orElse(-1);
        if (found >= 0 && found != sizeBytes) {
            throw new TierException(
                    Reason.CORRUPT, "chunk %s has %d bytes, not %d".formatted(digest, found, sizeBytes));
        }
        try (Lease lease = lease(digest, sizeBytes)
                .orElseThrow(
                        () -> new TierException(Reason.MISSING, "chunk " + digest + " is not in the memory tier"))) {
            buffer.asSlice(0, sizeBytes).copyFrom(lease.content());
        }
    }

    @Override
    public boolean delete(ChunkDigest digest) {
        return table.discard(digest);
    }

    @Override
    public Set<ChunkDigest> list() {
        return table.digests();
    }

    @Override
    public TierUsage usage() {
        long freeBytes = (long) claimable() * Slot.BYTES;
        return new TierUsage(kind(), poolPath.toString(), capacityBytes, freeBytes, table.usedBytes());
    }

    /** The pool belongs to whoever mapped it; what the index says of it stays. */
    @Override
    public void close() {}
}
