package io.gpusnap.node.tier.pack;

import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.tier.DiskErrors;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import io.gpusnap.node.tier.blob.BlobInfo;
import io.gpusnap.node.tier.blob.BlobKey;
import io.gpusnap.node.tier.blob.BlobStore;
import io.gpusnap.node.tier.key.ManifestSigner;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The snapshots of a shared store: a manifest, word for word, and a map that says where its chunks lie, so that a thaw reads two
 * objects before it reads chunks. The manifest is written last: a snapshot is there from then on.
 */
final class SharedSnapshots {

    private static final Logger LOG = LoggerFactory.getLogger(SharedSnapshots.class);
    private static final int MOST_MANIFEST_BYTES = 64 << 20;

    /** An object cannot be read, in a store that gives other things. */
    private static final class Damaged extends Exception {
        Damaged(BlobKey key, TierException cause) {
            super("%s cannot be read, its store can: %s".formatted(key, cause.getMessage()), cause);
        }
    }

    private final BlobStore store;
    private final Catalogue catalogue;
    private final PackPublisher publisher;
    private final ManifestSigner signer;
    private final Predicate<TierException> isDamage;

    /** @param isDamage whether a read that failed tells of damage to what was read, and not of a store that does not answer */
    SharedSnapshots(
            BlobStore store,
            Catalogue catalogue,
            PackPublisher publisher,
            ManifestSigner signer,
            Predicate<TierException> isDamage) {
        this.store = store;
        this.catalogue = catalogue;
        this.publisher = publisher;
        this.signer = signer;
        this.isDamage = isDamage;
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

    /**
     * Where its chunks lie, in all of its copies, is known from then on.
     *
     * @param wanted whether these bytes will do
     * @throws TierException MISSING; UNTRUSTED when one would do and none of those is signed by a key that this node trusts; CORRUPT when
     *     there are manifests, and none that would do or can be read
     */
    byte[] read(SnapshotId snapshot, Predicate<byte[]> wanted) throws TierException {
        Optional<byte[]> found = Optional.empty();
        Optional<Reason> wrong = Optional.empty();
        for (SharedSnapshot copy : list(snapshot + ".")) {
            try {
                Optional<byte[]> manifest = manifest(copy);
                if (manifest.filter(wanted).isEmpty()) {
                    wrong = manifest.isPresent() ? wrong.or(() -> Optional.of(Reason.CORRUPT)) : wrong;
                } else if (isTrusted(copy, manifest.get())) {
                    found = manifest;
                    learn(copy);
                } else {
                    wrong = Optional.of(Reason.UNTRUSTED);
                }
            } catch (Damaged e) {
                warn(e);
                wrong = wrong.or(() -> Optional.of(Reason.CORRUPT));
            }
        }
        if (found.isPresent()) {
            return found.get();
        }
        throw refused(snapshot, wrong.orElse(Reason.MISSING));
    }

    private TierException refused(SnapshotId snapshot, Reason reason) {
        String text = switch (reason) {
            case CORRUPT -> "the manifest of snapshot %s in %s is not the one that is meant, or cannot be read";
            case UNTRUSTED ->
                "the manifest of snapshot %s in %s is not signed by a key that this node trusts (tiers.trustedKeysFile)";
            case MISSING, NO_KEY, NO_SPACE, IO, UNAVAILABLE, IN_USE, PREEMPTED -> "snapshot %s is not in %s";
        };
        return new TierException(reason, text.formatted(snapshot, store.location()));
    }

    private void warn(Exception unusable) {
        LOG.atWarn().addKeyValue("store", store.location()).log("a copy is not used: " + unusable.getMessage());
    }

    /** Asked for twice, so that one error of the moment condemns nothing. */
    private byte[] readAll(BlobKey key, int mostBytes) throws TierException, Damaged {
        try {
            return store.readAll(key, mostBytes);
        } catch (TierException e) {
            if (!DiskErrors.isOfMedium(e)) {
                throw e;
            }
        }
        try {
            return store.readAll(key, mostBytes);
        } catch (TierException again) {
            if (isDamage.test(again)) {
                throw new Damaged(key, again);
            }
            throw again;
        }
    }

    private boolean isTrusted(SharedSnapshot copy, byte[] manifest) throws TierException, Damaged {
        if (!signer.asksForSignatures()) {
            return true;
        }
        try {
            byte[] signature = readAll(BlobKey.signature(copy.snapshot(), copy.copy()), ManifestSigner.SIGNATURE_BYTES);
            return signer.trusts(copy.snapshot(), manifest, signature);
        } catch (TierException e) {
            if (e.reason() == Reason.MISSING || e.reason() == Reason.CORRUPT) {
                return false;
            }
            throw e;
        }
    }

    /** Of the copies with this very manifest the first signature; one that is not trusted is none, where the node asks for them. */
    Optional<byte[]> signature(SnapshotId snapshot, byte[] manifest) throws TierException {
        for (SharedSnapshot copy : list(snapshot + ".")) {
            BlobKey key = BlobKey.signature(snapshot, copy.copy());
            try {
                boolean same = manifest(copy)
                        .filter(found -> Arrays.equals(found, manifest))
                        .isPresent();
                if (same && isTrusted(copy, manifest) && store.find(key).isPresent()) {
                    return Optional.of(readAll(key, ManifestSigner.SIGNATURE_BYTES));
                }
            } catch (Damaged e) {
                warn(e);
            }
        }
        return Optional.empty();
    }

    private Optional<byte[]> manifest(SharedSnapshot copy) throws TierException, Damaged {
        try {
            return Optional.of(readAll(BlobKey.manifest(copy.snapshot(), copy.copy()), MOST_MANIFEST_BYTES));
        } catch (TierException e) {
            if (e.reason() == Reason.MISSING || e.reason() == Reason.CORRUPT) {
                LOG.atWarn().addKeyValue("store", store.location()).log("a manifest is not used: " + e.getMessage());
                return Optional.empty();
            }
            throw e;
        }
    }

    /** A map that cannot be used costs time: the packs' own indexes say the same. */
    private void learn(SharedSnapshot copy) throws TierException {
        BlobKey key = BlobKey.map(copy.snapshot(), copy.copy());
        try {
            PackTable.decode(readAll(key, PackTable.MOST_BYTES), key.path())
                    .packs()
                    .forEach(catalogue::addPart);
        } catch (TierException e) {
            if (e.reason() != Reason.CORRUPT && e.reason() != Reason.MISSING) {
                throw e;
            }
            LOG.atWarn().addKeyValue("store", store.location()).log("a map is not used: " + e.getMessage());
        } catch (Damaged e) {
            warn(e);
        }
    }

    /**
     * @param chunks of the manifest: each must be in the store
     * @param preferred in packs of such a scope a chunk is rather named, where it lies in several
     * @return every object that the snapshot needs, the packs of others included
     * @throws TierException MISSING when a chunk is not there
     */
    List<SharedObject> publish(
            SnapshotId snapshot, UUID copy, byte[] manifest, Collection<ChunkRef> chunks, Predicate<String> preferred)
            throws TierException {
        Map<ChunkDigest, List<PackEntry>> used = new LinkedHashMap<>();
        Map<ChunkDigest, PackTable.Pack> packs = new LinkedHashMap<>();
        for (ChunkRef chunk : chunks) {
            Optional<ChunkDigest> digest = chunk.content();
            if (digest.isPresent()) {
                Catalogue.Place place = catalogue
                        .shared(digest.get(), preferred)
                        .or(() -> catalogue.shared(digest.get(), any -> true))
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
        List<SharedObject> objects = new ArrayList<>();
        Optional<byte[]> signature = signer.sign(snapshot, manifest);
        if (signature.isPresent()) {
            BlobKey key = BlobKey.signature(snapshot, copy);
            publisher.putProven(key, MemorySegment.ofArray(signature.get()));
            objects.add(new SharedObject(key.path(), signature.get().length));
        }
        publisher.putProven(BlobKey.manifest(snapshot, copy), MemorySegment.ofArray(manifest));
        objects.addAll(objects(snapshot, copy, manifest, map, packs.values()));
        return objects;
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
