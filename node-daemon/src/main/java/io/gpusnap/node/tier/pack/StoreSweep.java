package io.gpusnap.node.tier.pack;

import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.blob.BlobInfo;
import io.gpusnap.node.tier.blob.BlobKey;
import io.gpusnap.node.tier.blob.BlobStore;
import io.gpusnap.node.tier.blob.BlobStore.IfThere;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * Removes objects of a shared store that the service has condemned. Names are never used twice, so a deletion that comes late
 * deletes nothing that is new.
 */
public final class StoreSweep {

    private static final int MOST_OWNER_BYTES = 100;
    /** In the order of their names. */
    private static final List<BlobKey.Folder> SWEPT =
            List.of(BlobKey.Folder.INDEXES, BlobKey.Folder.PACKS, BlobKey.Folder.SNAPSHOTS);

    private final BlobStore store;
    private final Catalogue catalogue;

    StoreSweep(BlobStore store, Catalogue catalogue) {
        this.store = store;
        this.catalogue = catalogue;
    }

    /** Whether the store is this service's; the first one that asks has it. */
    public boolean isOf(UUID service) throws TierException {
        byte[] name = (service + "\n").getBytes(StandardCharsets.US_ASCII);
        if (store.find(BlobKey.owner()).isEmpty()) {
            store.put(BlobKey.owner(), MemorySegment.ofArray(name), IfThere.KEEP);
        }
        String owner = new String(store.readAll(BlobKey.owner(), MOST_OWNER_BYTES), StandardCharsets.US_ASCII);
        return owner.strip().equals(service.toString());
    }

    /**
     * Manifests go first, then indexes, then packs: whatever is cut off leaves nothing that names what is gone.
     *
     * @param safePoint before each
     * @return bytes of what was there
     * @throws IllegalArgumentException when one is no name of a pack, an index or a snapshot; then nothing was deleted
     */
    public long delete(List<String> names, Runnable safePoint) throws TierException {
        List<BlobKey> keys = new ArrayList<>();
        for (String name : names) {
            BlobKey key = new BlobKey(name);
            if (SWEPT.stream().noneMatch(folder -> name.startsWith(folder.prefix()))) {
                throw new IllegalArgumentException(name + " is not swept");
            }
            keys.add(key);
        }
        keys.sort(Comparator.comparingInt(StoreSweep::turn));
        long deleted = 0;
        for (BlobKey key : keys) {
            safePoint.run();
            deleted += delete(key);
        }
        return deleted;
    }

    private static int turn(BlobKey key) {
        if (key.path().startsWith(BlobKey.Folder.SNAPSHOTS.prefix())) {
            return 0;
        }
        return key.path().startsWith(BlobKey.Folder.INDEXES.prefix()) ? 1 : 2;
    }

    private long delete(BlobKey key) throws TierException {
        Optional<BlobInfo> there = store.find(key);
        if (turn(key) == 1) {
            catalogue.remove(new ChunkDigest(key.name()));
        }
        if (there.isPresent()) {
            store.delete(key);
        }
        return there.map(BlobInfo::sizeBytes).orElse(0L);
    }

    /**
     * Uploads that nobody ends any more, and marks of packs that are gone, also one that a read which raced with a sweep set
     * late.
     *
     * @return how many uploads
     */
    public int removeUnfinished(Duration olderThan) throws TierException {
        for (BlobInfo mark : store.list(BlobKey.Folder.QUARANTINE, "")) {
            if (store.find(BlobKey.pack(Mark.of(mark.key()).pack())).isEmpty()) {
                store.delete(mark.key());
            }
        }
        return store.removeUnfinished(olderThan);
    }

    /**
     * Objects that can be swept, in the order of their names, from the one after this on.
     *
     * @param most so many at most
     */
    public List<SharedObject> listAfter(String name, int most) throws TierException {
        List<SharedObject> found = new ArrayList<>();
        for (BlobKey.Folder folder : SWEPT) {
            boolean passed = name.compareTo(folder.prefix()) > 0 && !name.startsWith(folder.prefix());
            if (!passed && found.size() < most) {
                for (BlobInfo object : store.listAfter(folder, name, most - found.size())) {
                    found.add(new SharedObject(object.key().path(), object.sizeBytes()));
                }
            }
        }
        return found;
    }
}
