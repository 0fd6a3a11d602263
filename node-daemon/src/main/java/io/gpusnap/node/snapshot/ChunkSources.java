package io.gpusnap.node.snapshot;

import io.gpusnap.node.tier.NvmeTier;
import io.gpusnap.node.tier.pack.PackTier;
import java.util.List;

/**
 * Where content may come from: the node's own store first, then stores that it shares with others, the nearest first.
 *
 * @param shared may be empty
 * @param damage is told of what is found wrong
 */
public record ChunkSources(NvmeTier nvme, List<PackTier> shared, Damage damage) {

    /** The name of the node's own store among tiers. */
    public static final String NVME = "nvme";

    public ChunkSources {
        shared = List.copyOf(shared);
    }

    /** The node's own store alone. */
    public static ChunkSources only(NvmeTier nvme) {
        return new ChunkSources(nvme, List.of(), new Damage());
    }

    /** The same, for one operation that wants to know what it found. */
    public ChunkSources telling(Damage own) {
        return new ChunkSources(nvme, shared, own);
    }

    /** All but one, for what is copied into that one. */
    public ChunkSources without(PackTier tier) {
        return new ChunkSources(
                nvme, shared.stream().filter(other -> other != tier).toList(), damage);
    }
}
