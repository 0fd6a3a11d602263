package io.gpusnap.bench.store;

import io.gpusnap.node.snapshot.SavePins;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.transfer.SnapshotPull;
import io.gpusnap.node.transfer.SnapshotPush;
import io.gpusnap.node.transfer.Traffic;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/** Copies to the shared store and back: what the stages of a transfer do. */
final class Copies {

    private final Node node;
    private final Traffic traffic = new Traffic(0);

    Copies(Node node) {
        this.node = node;
    }

    /** Each pack is read back and compared before it counts. */
    Map<String, Object> push(SnapshotId snapshot) throws TierException, ManifestException, InterruptedException {
        List<ChunkRef> chunks = node.store().read(snapshot).manifest().chunks().toList();
        SnapshotPush push = new SnapshotPush(node.shared(), node.store().sources(), UUID.randomUUID());
        SnapshotPush.Copied copied = push.chunks(chunks, node.transfer(), traffic.share(0, false), total -> {});
        push.manifest(snapshot, node.store().manifest(snapshot), chunks);
        return Map.of("movedBytes", copied.movedBytes(), "storedBytes", copied.storedBytes());
    }

    /** Of a snapshot that this node does not have: brought, verified, read back from the medium, committed. */
    Map<String, Object> pull(SnapshotId snapshot) throws TierException, ManifestException, InterruptedException {
        try (SavePins pins = node.store().pins()) {
            node.shared().refresh();
            byte[] manifest = node.shared().manifest(snapshot, any -> true);
            List<ChunkRef> chunks = node.store()
                    .writePending(snapshot, manifest)
                    .manifest()
                    .chunks()
                    .toList();
            SnapshotPull pull = new SnapshotPull(node.store(), node.store().sources(), pins);
            List<ChunkRef> lacking = pull.lacking(chunks);
            pull.bring(lacking, node.transfer(), traffic.share(0, false));
            node.store().commit(snapshot);
            long bytes = lacking.stream().mapToLong(ChunkRef::sizeBytes).sum();
            return Map.of("movedBytes", bytes);
        }
    }
}
