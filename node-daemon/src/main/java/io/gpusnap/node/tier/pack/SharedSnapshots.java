package io.gpusnap.node.tier.pack;

import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import io.gpusnap.node.tier.blob.BlobInfo;
import io.gpusnap.node.tier.blob.BlobKey;
import io.gpusnap.node.tier.blob.BlobStore;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The snapshots of a shared store: a manifest, word for word, and a map that says where its chunks lie, so that a thaw reads two
 * objects before it reads chunks. The manifest is written last: a snapshot is there from then on.
 */
final class SharedSnapshots {

    private static final Logger LOG = LoggerFactory.getLogger(SharedSnapshots.class);
    private static final int MOST_MANIFEST_BYTES = 64 << 20;

    private final BlobStore store;
    private final Catalogue catalogue;
    private final PackPublisher publisher;

    SharedSnapshots(BlobStore store, Catalogue catalogue, PackPublisher publisher) {
        this.store = store;
        this.catalogue = catalogue;
        this.publisher = publisher;
    }

    List<SharedSnapshot> list(String nameStart) throws TierException {
        List<SharedSnapshot> found = new ArrayList<>();
        for (BlobInfo object : store.list(BlobKey.Folder.SNAPSHOTS, nameStart)) {
            String[] parts = object.key().name().split("\\.", -1);
            if (parts[2].equals("json")) {
                found.add(
                        new SharedSnapshot(SnapshotId.parse(parts[0]), UUID.fromString(parts[1]), object.sizeBytes()));
            }
        }
        return found;
    }

    /** @return the manifest's bytes, not verified; where its chunks lie is known from then on */
    byte[] read(SnapshotId snapshot) throws TierException {
        for (SharedSnapshot copy : list(snapshot + ".")) {
            try {
                byte[] manifest = store.readAll(BlobKey.manifest(snapshot, copy.copy()), MOST_MANIFEST_BYTES);
                learn(copy);
                return manifest;
            } catch (TierException e) {
                if (e.reason() != Reason.MISSING) {
                    throw e;
                }
            }
        }
        throw new TierException(Reason.MISSING, "snapshot " + snapshot + " is not in " + store.location());
    }

    /** A map that cannot be used costs time: the packs' own indexes say the same. */
    private void learn(SharedSnapshot copy) throws TierException {
        BlobKey key = BlobKey.map(copy.snapshot(), copy.copy());
        try {
            PackTable.decode(store.readAll(key, PackTable.MOST_BYTES), key.path())
                    .packs()
                    .forEach(catalogue::addPart);
        } catch (TierException e) {
            if (e.reason() != Reason.CORRUPT && e.reason() != Reason.MISSING) {
                throw e;
            }
            LOG.atWarn().addKeyValue("store", store.location()).log("a map is not used: " + e.getMessage());
        }
    }

    /**
     * @param chunks of the manifest: each must be in the store
     * @return every object that the snapshot needs, the packs of others included
     * @throws TierException MISSING when a chunk is not there
     */
    List<SharedObject> publish(SnapshotId snapshot, UUID copy, byte[] manifest, Collection<ChunkRef> chunks)
            throws TierException {
        Map<ChunkDigest, List<PackEntry>> used = new LinkedHashMap<>();
        Map<ChunkDigest, PackTable.Pack> packs = new LinkedHashMap<>();
        for (ChunkRef chunk : chunks) {
            Optional<ChunkDigest> digest = chunk.content();
            if (digest.isPresent()) {
                Catalogue.Place place = catalogue
                        .find(digest.get())
                        .filter(found -> found.entry().sizeBytes() == chunk.sizeBytes())
                        .orElseThrow(() -> new TierException(
                                Reason.MISSING, "chunk " + digest.get() + " is not in " + store.location()));
                packs.put(place.pack().id(), place.pack());
                used.computeIfAbsent(place.pack().id(), id -> new ArrayList<>()).add(place.entry());
            }
        }
        byte[] map = new PackTable(
                        copy,
                        packs.values().stream().map(pack -> part(pack, used)).toList())
                .encode();
        publisher.putProven(BlobKey.map(snapshot, copy), MemorySegment.ofArray(map));
        publisher.putProven(BlobKey.manifest(snapshot, copy), MemorySegment.ofArray(manifest));
        return objects(snapshot, copy, manifest, map, packs.values());
    }

    private static PackTable.Pack part(PackTable.Pack pack, Map<ChunkDigest, List<PackEntry>> used) {
        List<PackEntry> entries = new ArrayList<>(used.getOrDefault(pack.id(), List.of()));
        entries.sort(java.util.Comparator.comparingLong(PackEntry::offset));
        return new PackTable.Pack(
                pack.id(),
                pack.sizeBytes(),
                pack.scope(),
                entries.stream().distinct().toList());
    }

    private static List<SharedObject> objects(
            SnapshotId snapshot, UUID copy, byte[] manifest, byte[] map, Collection<PackTable.Pack> packs) {
        List<SharedObject> objects = new ArrayList<>();
        for (PackTable.Pack pack : packs) {
            objects.add(new SharedObject(BlobKey.pack(pack.id()).path(), pack.sizeBytes()));
            objects.add(new SharedObject(
                    BlobKey.index(pack.id()).path(), new PackTable(copy, List.of(pack)).encode().length));
        }
        objects.add(new SharedObject(BlobKey.map(snapshot, copy).path(), map.length));
        objects.add(new SharedObject(BlobKey.manifest(snapshot, copy).path(), manifest.length));
        return objects;
    }
}
