package io.gpusnap.node.snapshot;

import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.tier.NvmeTier;
import io.gpusnap.node.tier.pack.PackTier;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * Where content may come from: the node's own store first, then who is nearby, then stores that it shares with others, the
 * nearest first.
 *
 * @param shared may be empty
 * @param nearby asked before a shared store is
 * @param damage is told of what is found wrong
 * @param read is told of what was read where
 */
public record ChunkSources(NvmeTier nvme, List<PackTier> shared, Nearby nearby, Damage damage, ReadBytes read) {

    /** The name of the pool among tiers. */
    public static final String MEMORY = "memory";
    /** The name of the node's own store among tiers. */
    public static final String NVME = "nvme";
    /** In place of a tier's name: another node. */
    public static final String PEER = "peer";

    public ChunkSources {
        shared = List.copyOf(shared);
    }

    /** The node's own store alone. */
    public static ChunkSources only(NvmeTier nvme) {
        return of(nvme, List.of());
    }

    /** Stores, and nobody nearby. */
    public static ChunkSources of(NvmeTier nvme, List<PackTier> shared) {
        return new ChunkSources(nvme, shared, Nearby.nobody(), new Damage(), new ReadBytes());
    }

    /** The same, for one operation that wants to know what it found and what it read. */
    public ChunkSources telling(Damage own, ReadBytes ownBytes) {
        return new ChunkSources(nvme, shared, nearby, own, ownBytes);
    }

    public ChunkSources with(Nearby others) {
        return new ChunkSources(nvme, shared, others, damage, read);
    }

    /**
     * Shared stores in another order.
     *
     * @param first names of tiers, the first first; the others come after them as they are, and are asked all the same
     */
    public ChunkSources preferring(List<String> first) {
        return new ChunkSources(nvme, ordered(shared, first), nearby, damage, read);
    }

    static List<PackTier> ordered(List<PackTier> tiers, List<String> first) {
        return tiers.stream()
                .sorted(Comparator.comparingInt(
                        tier -> first.contains(tier.name()) ? first.indexOf(tier.name()) : first.size()))
                .toList();
    }

    /** All but one, for what is copied into that one. */
    public ChunkSources without(PackTier tier) {
        return new ChunkSources(
                nvme, shared.stream().filter(other -> other != tier).toList(), Nearby.nobody(), damage, read);
    }

    /** The stretch of a shared store that the chunk lies in, as far as that is known; else the chunk is one by itself. */
    public String window(ChunkRef chunk) {
        return shared.stream()
                .map(tier -> tier.window(chunk))
                .flatMap(Optional::stream)
                .findFirst()
                .orElse(chunk.digest());
    }
}
