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
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Brings a catalogue to what the store has now. Indexes never change, so only those that are new are read. */
final class IndexLoader {

    private static final Logger LOG = LoggerFactory.getLogger(IndexLoader.class);
    private static final int MOST_INDEX_BYTES = 4 << 20;

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
        new LostPacks(store, catalogue).findAgain(Set.copyOf(there));
        Set<ChunkDigest> lost = catalogue.lost().keySet();
        List<ChunkDigest> fresh = there.stream()
                .filter(id -> !catalogue.knows(id) && !lost.contains(id))
                .toList();
        Together.each("index", fresh, this::load);
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
