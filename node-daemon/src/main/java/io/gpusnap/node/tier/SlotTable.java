package io.gpusnap.node.tier;

import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.ChunkRef;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** The slots' states in memory, each change written through to the {@link SlotIndex}. One lock; nothing slow under it. */
final class SlotTable {

    /** @param verified false: the content is from an earlier daemon's life */
    record Found(int slot, int sizeBytes, boolean verified) {}

    private static final class Entry {
        @Nullable
        UUID owner;

        @Nullable
        ChunkRef settled;

        @Nullable
        ChunkDigest digest;

        int sizeBytes;
        int leases;
        boolean verified;
    }

    private final SlotIndex index;
    private final Entry[] entries;
    /** Taken from the lowest on, so that what is claimed together lies together: neighbours are copied in one piece. */
    private final BitSet free = new BitSet();

    private final Map<ChunkDigest, Integer> clean = new HashMap<>();
    /** Clean slots without a lease, least recently used first. */
    private final LinkedHashSet<Integer> evictable = new LinkedHashSet<>();

    SlotTable(SlotIndex index) {
        this.index = index;
        this.entries = new Entry[index.slots()];
        for (int slot = 0; slot < entries.length; slot++) {
            entries[slot] = new Entry();
            load(slot, entries[slot]);
        }
    }

    private void load(int slot, Entry entry) {
        switch (index.state(slot)) {
            case FREE -> free.set(slot);
            case OWNED -> entry.owner = index.owner(slot);
            case CLEAN -> {
                int sizeBytes = index.sizeBytes(slot);
                ChunkDigest digest = index.digest(slot);
                if (sizeBytes < 1 || sizeBytes > Slot.BYTES || clean.containsKey(digest)) {
                    makeFree(slot);
                } else {
                    makeClean(slot, digest, sizeBytes, false);
                    evictable.add(slot);
                }
            }
        }
    }

    synchronized List<Integer> claim(UUID owner, int count) {
        for (int missing = count - free.cardinality(); missing > 0 && !evictable.isEmpty(); missing--) {
            evict(evictable.getFirst());
        }
        List<Integer> claimed = new ArrayList<>(Math.min(count, entries.length));
        for (int slot = free.nextSetBit(0); slot >= 0 && claimed.size() < count; slot = free.nextSetBit(slot + 1)) {
            free.clear(slot);
            entries[slot].owner = owner;
            index.own(slot, owner);
            claimed.add(slot);
        }
        return claimed;
    }

    /** As {@link #claim}, but no clean copy makes room. */
    synchronized List<Integer> claimEmpty(UUID owner, int count) {
        return claim(owner, Math.min(count, free.cardinality()));
    }

    synchronized int claimable() {
        return free.cardinality() + evictable.size();
    }

    synchronized boolean isOwned(UUID owner, int slot) {
        return slot >= 0 && slot < entries.length && owner.equals(entries[slot].owner);
    }

    synchronized void settle(int slot, ChunkRef content) {
        entries[slot].settled = content;
    }

    synchronized void free(int slot) {
        if (entries[slot].owner != null) {
            makeFree(slot);
        }
    }

    synchronized void finish(UUID owner) {
        for (int slot = 0; slot < entries.length; slot++) {
            Entry entry = entries[slot];
            if (!owner.equals(entry.owner)) {
                continue;
            }
            ChunkRef settled = entry.settled;
            if (settled == null || settled.isZero()) {
                makeFree(slot);
            } else {
                release(publish(slot, new ChunkDigest(settled.digest()), settled.sizeBytes()));
            }
        }
    }

    synchronized void retainOwners(Set<UUID> owners) {
        for (int slot = 0; slot < entries.length; slot++) {
            UUID owner = entries[slot].owner;
            if (owner != null && !owners.contains(owner)) {
                makeFree(slot);
            }
        }
    }

    /** @return the slot that holds the chunk from now on, with one more lease: another one, if the chunk was there already */
    synchronized int publish(int slot, ChunkDigest digest, int sizeBytes) {
        Integer holder = clean.get(digest);
        if (holder != null && entries[holder].sizeBytes == sizeBytes && entries[holder].verified) {
            makeFree(slot);
            hold(holder);
            return holder;
        }
        discard(digest);
        makeClean(slot, digest, sizeBytes, true);
        entries[slot].leases = 1;
        return slot;
    }

    synchronized @Nullable Found lease(ChunkDigest digest) {
        Integer slot = clean.get(digest);
        if (slot == null) {
            return null;
        }
        hold(slot);
        return new Found(slot, entries[slot].sizeBytes, entries[slot].verified);
    }

    /**
     * Of each chunk whose copy is verified and has its size: the slot, held.
     *
     * @param spare where more than 0, no more are held once no more slots than these can be claimed
     */
    synchronized Map<ChunkRef, Integer> leaseVerified(Collection<ChunkRef> chunks, int spare) {
        Map<ChunkRef, Integer> held = new LinkedHashMap<>();
        for (ChunkRef chunk : chunks) {
            if (spare > 0 && claimable() <= spare) {
                break;
            }
            Integer slot =
                    chunk.isZero() || held.containsKey(chunk) ? null : clean.get(new ChunkDigest(chunk.digest()));
            if (slot != null && entries[slot].verified && entries[slot].sizeBytes == chunk.sizeBytes()) {
                hold(slot);
                held.put(chunk, slot);
            }
        }
        return held;
    }

    synchronized void verified(int slot) {
        entries[slot].verified = true;
    }

    synchronized void release(int slot) {
        Entry entry = entries[slot];
        entry.leases--;
        if (entry.leases == 0) {
            if (entry.digest == null) {
                makeFree(slot);
            } else {
                evictable.add(slot);
            }
        }
    }

    /** Forgets a clean copy; one that is leased stays in its place until the last lease is closed. */
    synchronized boolean discard(ChunkDigest digest) {
        Integer slot = clean.remove(digest);
        if (slot == null) {
            return false;
        }
        entries[slot].digest = null;
        if (entries[slot].leases == 0) {
            makeFree(slot);
        } else {
            index.free(slot);
        }
        return true;
    }

    synchronized OptionalInt sizeOf(ChunkDigest digest) {
        Integer slot = clean.get(digest);
        return slot == null ? OptionalInt.empty() : OptionalInt.of(entries[slot].sizeBytes);
    }

    synchronized Set<ChunkDigest> digests() {
        return Set.copyOf(clean.keySet());
    }

    synchronized long usedBytes() {
        return (long) (entries.length - free.cardinality()) * Slot.BYTES;
    }

    private void evict(int slot) {
        Iterator<Integer> oldest = evictable.iterator();
        oldest.next();
        oldest.remove();
        ChunkDigest digest = entries[slot].digest;
        if (digest != null) {
            clean.remove(digest);
        }
        makeFree(slot);
    }

    private void hold(int slot) {
        entries[slot].leases++;
        evictable.remove(slot);
    }

    private void makeClean(int slot, ChunkDigest digest, int sizeBytes, boolean verified) {
        Entry entry = entries[slot];
        entry.owner = null;
        entry.settled = null;
        entry.digest = digest;
        entry.sizeBytes = sizeBytes;
        entry.verified = verified;
        clean.put(digest, slot);
        index.clean(slot, digest, sizeBytes);
    }

    private void makeFree(int slot) {
        Entry entry = entries[slot];
        entry.owner = null;
        entry.settled = null;
        entry.digest = null;
        entry.verified = false;
        evictable.remove(slot);
        index.free(slot);
        free.set(slot);
    }
}
