package io.gpusnap.node.snapshot;

import io.gpusnap.node.tier.NvmeTier;
import io.gpusnap.node.tier.pack.PackTier;
import java.util.List;

/**
 * Where content may come from: the node's own store first, then stores that it shares with others, the nearest first.
 *
 * @param shared may be empty
 */
public record ChunkSources(NvmeTier nvme, List<PackTier> shared) {

    public ChunkSources {
        shared = List.copyOf(shared);
    }

    /** The node's own store alone. */
    public static ChunkSources only(NvmeTier nvme) {
        return new ChunkSources(nvme, List.of());
    }

    /** All but one, for what is copied into that one. */
    public ChunkSources without(PackTier tier) {
        return new ChunkSources(
                nvme, shared.stream().filter(other -> other != tier).toList());
    }
}
