package io.gpusnap.bench.store;

import io.gpusnap.node.snapshot.SnapshotStore;
import io.gpusnap.node.tier.MemoryTier;
import io.gpusnap.node.tier.NvmeTier;
import io.gpusnap.node.tier.Slot;
import io.gpusnap.node.tier.StoreRoot;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.pack.Compression;
import io.gpusnap.node.tier.pack.FrameSettings;
import io.gpusnap.node.tier.pack.PackSettings;
import io.gpusnap.node.tier.pack.PackTier;
import io.gpusnap.node.tier.s3.S3Store;
import io.gpusnap.node.transfer.Transfer;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.Optional;

/** A node's store, opened as the daemon opens it. Its pool is as small as can be: nothing here is for a GPU. */
final class Node implements AutoCloseable {

    private static final int SLOTS = 4;
    private static final long PAGE_BYTES = 4096;

    private final Arena arena = Arena.ofShared();
    private final SnapshotStore store;
    private final Optional<PackTier> shared;
    private final int threads;

    Node(Settings settings) throws TierException {
        this.threads = settings.threads();
        StoreRoot root = StoreRoot.open(settings.root());
        MemoryTier memory =
                MemoryTier.open(settings.root().resolve("pool"), arena.allocate((long) SLOTS * Slot.BYTES, PAGE_BYTES));
        this.shared =
                settings.s3().map(s3 -> new PackTier(PackSettings.of("s3"), new S3Store(s3), FrameSettings.none()));
        NvmeTier nvme = new NvmeTier(
                root, 0, Optional.empty(), "", false, settings.compress() ? Compression.PLANES : Compression.OFF);
        this.store = new SnapshotStore(root, nvme, memory, shared.map(List::of).orElse(List.of()));
    }

    SnapshotStore store() {
        return store;
    }

    PackTier shared() {
        return shared.orElseThrow(() -> new IllegalStateException("there is no --s3"));
    }

    Transfer transfer() {
        return new Transfer(threads, bytes -> {}, () -> {});
    }

    @Override
    public void close() {
        store.close();
        arena.close();
    }
}
