package io.gpusnap.node.tier.pack;

import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import io.gpusnap.node.tier.blob.BlobKey;
import io.gpusnap.node.tier.blob.BlobStore;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Brings a catalogue to what the store has now. Indexes never change, so only those that are new are read. */
final class IndexLoader {

    private static final Logger LOG = LoggerFactory.getLogger(IndexLoader.class);
    private static final int MOST_INDEX_BYTES = 4 << 20;
    private static final int THREADS = 8;

    private final BlobStore store;
    private final Catalogue catalogue;

    IndexLoader(BlobStore store, Catalogue catalogue) {
        this.store = store;
        this.catalogue = catalogue;
    }

    void load() throws TierException {
        // A pack that comes while the store is asked is in no answer: only what was known before can be found gone.
        Set<ChunkDigest> before = catalogue.packs();
        List<ChunkDigest> there = new ArrayList<>();
        for (BlobKey index : store.names(BlobKey.Folder.INDEXES)) {
            there.add(new ChunkDigest(index.name()));
        }
        Set<ChunkDigest> gone = new HashSet<>(before);
        gone.removeAll(Set.copyOf(there));
        gone.forEach(catalogue::remove);
        for (BlobKey found : store.names(BlobKey.Folder.QUARANTINE)) {
            Mark mark = Mark.of(found);
            catalogue.wrong(mark.chunk(), mark.pack());
        }
        List<ChunkDigest> fresh =
                there.stream().filter(id -> !catalogue.knows(id)).toList();
        if (fresh.isEmpty()) {
            return;
        }
        try (ExecutorService threads = Executors.newFixedThreadPool(
                Math.min(THREADS, fresh.size()),
                Thread.ofPlatform().daemon().name("index-", 0).factory())) {
            List<Future<?>> reading = new ArrayList<>();
            for (ChunkDigest id : fresh) {
                reading.add(threads.submit(() -> {
                    load(id);
                    return id;
                }));
            }
            for (Future<?> one : reading) {
                await(one);
            }
        }
    }

    private static void await(Future<?> one) throws TierException {
        try {
            one.get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof TierException tier) {
                throw tier;
            }
            throw new IllegalStateException("reading an index broke", e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new TierException(Reason.UNAVAILABLE, "interrupted while indexes were read", e);
        }
    }

    /** An index that is not what its name says makes its chunks absent, not the store unusable: they are copied again. */
    private void load(ChunkDigest id) throws TierException {
        try {
            byte[] bytes = store.readAll(BlobKey.index(id), MOST_INDEX_BYTES);
            PackTable table = PackTable.decode(bytes, BlobKey.index(id).path());
            if (!PackTable.idOf(bytes).equals(id) || table.packs().size() != 1) {
                throw new TierException(Reason.CORRUPT, BlobKey.index(id) + " is the index of another pack");
            }
            PackTable.Pack self = table.packs().getFirst();
            catalogue.add(new PackTable.Pack(id, self.sizeBytes(), self.scope(), self.entries()), table.copy());
        } catch (TierException e) {
            if (e.reason() != Reason.CORRUPT && e.reason() != Reason.MISSING) {
                throw e;
            }
            LOG.atWarn().addKeyValue("store", store.location()).log("an index is not used: " + e.getMessage());
        }
    }
}
