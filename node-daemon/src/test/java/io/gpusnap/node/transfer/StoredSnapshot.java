package io.gpusnap.node.transfer;

import io.gpusnap.node.snapshot.SavePins;
import io.gpusnap.node.snapshot.SnapshotStore;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.ManifestJson;
import io.gpusnap.node.store.Manifests;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.store.TreeDigester;
import io.gpusnap.node.tier.MemoryTier;
import io.gpusnap.node.tier.NvmeTier;
import io.gpusnap.node.tier.StoreRoot;
import io.gpusnap.node.tier.pack.PackTier;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.IntFunction;

/** A node's store with a snapshot of random chunks, without a process behind it. */
public record StoredSnapshot(SnapshotStore store, SnapshotId snapshot, byte[] manifest, List<ChunkRef> chunks) {

    static SnapshotStore open(Path folder, PackTier... shared) throws Exception {
        return open(folder, 16 << 20, shared);
    }

    public static SnapshotStore open(Path folder, int poolBytes, PackTier... shared) throws Exception {
        StoreRoot root = StoreRoot.open(folder.resolve("nvme"));
        MemorySegment pool = Arena.ofAuto().allocate(poolBytes, 4096);
        return new SnapshotStore(
                root, new NvmeTier(root, 0), MemoryTier.open(folder.resolve("pool"), pool), List.of(shared));
    }

    public static StoredSnapshot make(SnapshotStore store, SnapshotId snapshot, int chunks, int chunkBytes)
            throws Exception {
        return make(store, snapshot, chunks, i -> {
            byte[] content = new byte[chunkBytes];
            new Random(i).nextBytes(content);
            return content;
        });
    }

    /** @param contents of each chunk, by its number */
    public static StoredSnapshot make(
            SnapshotStore store, SnapshotId snapshot, int chunks, IntFunction<byte[]> contents) throws Exception {
        List<ChunkRef> refs = new ArrayList<>();
        try (SavePins pins = store.pins()) {
            for (int i = 0; i < chunks; i++) {
                byte[] content = contents.apply(i);
                ChunkRef ref = new TreeDigester().digest(MemorySegment.ofArray(content));
                pins.store(ref, MemorySegment.ofArray(content));
                refs.add(ref);
            }
            byte[] manifest = ManifestJson.write(Manifests.of(snapshot, refs));
            store.writePending(snapshot, manifest);
            store.commit(snapshot);
            return new StoredSnapshot(store, snapshot, manifest, refs);
        }
    }
}
