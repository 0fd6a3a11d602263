package io.gpusnap.bench.store;

import io.gpusnap.node.snapshot.SnapshotStore;
import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.TreeDigester;
import io.gpusnap.node.tier.NvmeTier;
import io.gpusnap.node.tier.TierException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Writes every chunk of a store anew, as the store's settings say: a copy of a store with them, for a comparison. */
final class Rewriting {

    private static final long PAGE_BYTES = 4096;

    private Rewriting() {}

    static Map<String, Object> of(SnapshotStore store, int threads) throws Exception {
        Set<ChunkRef> chunks = store.namedChunks();
        NvmeTier tier = store.nvme();
        List<Future<?>> done = new ArrayList<>();
        try (ExecutorService workers = Executors.newFixedThreadPool(threads)) {
            for (ChunkRef chunk : chunks) {
                done.add(workers.submit(() -> {
                    rewrite(tier, chunk.content().orElseThrow(), chunk.sizeBytes());
                    return null;
                }));
            }
        }
        for (Future<?> one : done) {
            one.get();
        }
        tier.sync();
        return Map.of("chunks", chunks.size(), "usedBytes", tier.usage().usedBytes());
    }

    private static void rewrite(NvmeTier tier, ChunkDigest digest, int sizeBytes) throws TierException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment content = arena.allocate(TreeDigester.MAX_CHUNK_BYTES, PAGE_BYTES);
            tier.read(digest, sizeBytes, content);
            tier.delete(digest);
            tier.put(digest, content.asSlice(0, sizeBytes));
        }
    }
}
