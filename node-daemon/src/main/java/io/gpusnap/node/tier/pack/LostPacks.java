package io.gpusnap.node.tier.pack;

import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.blob.BlobKey;
import io.gpusnap.node.tier.blob.BlobStore;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Packs that are not in the store, or not whole, although their index is. No sweep leaves an index without its pack, as it deletes
 * indexes first; but something else may take a pack, or cut it short, and a daemon that was given up may end an upload with the index
 * after a sweep has taken the pack.
 */
final class LostPacks {

    private static final Logger LOG = LoggerFactory.getLogger(LostPacks.class);

    private final BlobStore store;
    private final Catalogue catalogue;

    LostPacks(BlobStore store, Catalogue catalogue) {
        this.store = store;
        this.catalogue = catalogue;
    }

    /**
     * Looks whether the packs are there, and whole, that a copy of these chunks would share, and forgets those that are not: a copy
     * that names such a pack would count, and have nothing.
     */
    void drop(Collection<ChunkRef> chunks) throws TierException {
        Map<ChunkDigest, PackTable.Pack> packs = new HashMap<>();
        chunks.forEach(chunk -> chunk.content()
                .map(catalogue::sharedPacks)
                .ifPresent(found -> found.forEach(pack -> packs.put(pack.id(), pack))));
        Together.each("pack", packs.values(), pack -> {
            if (!isThere(pack.id(), pack.sizeBytes())) {
                LOG.atWarn()
                        .addKeyValue("store", store.location())
                        .log("pack {} is not there, or not all of it; its index is", pack.id());
                catalogue.gone(pack);
            }
        });
    }

    private boolean isThere(ChunkDigest id, long sizeBytes) throws TierException {
        return store.find(BlobKey.pack(id))
                .filter(found -> found.sizeBytes() == sizeBytes)
                .isPresent();
    }

    /** What was forgotten so and is back, as a share is that was not mounted, counts again; so does what has no index any more either. */
    void findAgain(Set<ChunkDigest> indexes) throws TierException {
        for (Map.Entry<ChunkDigest, Long> lost : catalogue.lost().entrySet()) {
            if (!indexes.contains(lost.getKey()) || isThere(lost.getKey(), lost.getValue())) {
                catalogue.isBack(lost.getKey());
            }
        }
    }
}
