package io.gpusnap.bench.store;

import io.gpusnap.gpu.Buffers;
import io.gpusnap.node.snapshot.ChunkSources;
import io.gpusnap.node.snapshot.Nearby;
import io.gpusnap.node.snapshot.SavePins;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.store.TreeDigester;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.transfer.ChunkVerifier;
import io.gpusnap.node.transfer.Crew;
import io.gpusnap.node.transfer.SharedReader;
import io.gpusnap.node.transfer.SnapshotPull;
import io.gpusnap.node.transfer.SnapshotPush;
import io.gpusnap.node.transfer.Traffic;
import java.util.ArrayList;
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
        SnapshotPush.Copied copied;
        try (Traffic.Share share = traffic.move(Traffic.Priority.URGENT, 0)) {
            copied = push.chunks(chunks, node.transfer(), share, total -> {});
        }
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
            try (Traffic.Share share = traffic.move(Traffic.Priority.URGENT, 0)) {
                pull.bring(lacking, node.transfer(), share);
            }
            node.store().commit(snapshot);
            long bytes = lacking.stream().mapToLong(ChunkRef::sizeBytes).sum();
            return Map.of("movedBytes", bytes);
        }
    }

    /**
     * As {@link #pull}, but one after the other what happens beside each other there: {@code bringSeconds} until every chunk is here and
     * verified, {@code syncSeconds} until it is durable, which is where other tools end, {@code proofSeconds} until all was read
     * back from the medium.
     */
    Map<String, Object> pullByParts(SnapshotId snapshot) throws TierException, ManifestException, InterruptedException {
        try (SavePins pins = node.store().pins()) {
            Timer timer = new Timer();
            node.shared().refresh();
            byte[] manifest = node.shared().manifest(snapshot, any -> true);
            List<ChunkRef> chunks = ChunkVerifier.distinct(node.store()
                    .writePending(snapshot, manifest)
                    .manifest()
                    .chunks()
                    .toList());
            bring(chunks, pins);
            double brought = timer.lap();
            node.store().nvme().sync();
            double synced = timer.lap();
            ChunkVerifier.verify(chunks, node.store().nvme(), node.transfer());
            double proven = timer.lap();
            node.store().commit(snapshot);
            return Map.of(
                    "movedBytes", chunks.stream().mapToLong(ChunkRef::sizeBytes).sum(),
                    "bringSeconds", brought,
                    "syncSeconds", synced,
                    "proofSeconds", proven);
        }
    }

    /** By as many requests at once as a pull has. */
    private void bring(List<ChunkRef> chunks, SavePins pins) throws TierException, InterruptedException {
        try (Buffers buffers = new Buffers();
                Readers readers = new Readers(node.store().sources())) {
            Crew.each(
                    "bring",
                    2 * node.transfer().threads(),
                    TierException.class,
                    node.shared().runs(chunks),
                    () -> {
                        SharedReader reader = readers.next();
                        Nearby.Target target =
                                Nearby.Target.at(buffers.take(TreeDigester.MAX_CHUNK_BYTES), pins::store);
                        return run -> reader.read(run.chunks(), target);
                    });
        }
    }

    /** One for each thread. */
    private static final class Readers implements AutoCloseable {

        private final ChunkSources sources;
        private final List<SharedReader> made = new ArrayList<>();

        private Readers(ChunkSources sources) {
            this.sources = sources;
        }

        private SharedReader next() {
            SharedReader reader = new SharedReader(sources);
            made.add(reader);
            return reader;
        }

        @Override
        public void close() {
            made.forEach(SharedReader::close);
        }
    }
}
