package io.gpusnap.node.snapshot;

import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.store.NewerManifestException;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.tier.MemoryTier;
import io.gpusnap.node.tier.NvmeTier;
import io.gpusnap.node.tier.StoreRoot;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import io.gpusnap.node.tier.pack.PackTier;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Predicate;

/**
 * What this node's store holds. A snapshot exists once its manifest is in {@code manifests/}. Chunks are shared: a chunk is
 * deleted only while no manifest, committed or pending, and no running save names it. Saves pin what they name as they
 * look for it, and each step of a sweep excludes pinning, so a chunk that a save found is never taken from under it.
 */
public final class SnapshotStore implements AutoCloseable {

    private final StoreRoot root;
    private final NvmeTier nvme;
    private final MemoryTier memory;
    private final ChunkSources sources;
    private final ReadWriteLock sweepLock;
    private final Set<SavePins> pins = ConcurrentHashMap.newKeySet();
    private final SnapshotUses uses = new SnapshotUses();
    private final ManifestFiles manifests;
    private final AtomicLong manifestsWritten = new AtomicLong();
    private final PendingManifests pending;
    private final Sweep sweep;
    private final OrphanSweep orphans;

    public SnapshotStore(StoreRoot root, NvmeTier nvme, MemoryTier memory) {
        this(root, nvme, memory, List.of());
    }

    /** @param shared stores that other nodes have as well, the nearest first; closed with this */
    public SnapshotStore(StoreRoot root, NvmeTier nvme, MemoryTier memory, List<PackTier> shared) {
        this(root, nvme, memory, shared, new ReentrantReadWriteLock());
    }

    /** @param sweepLock shared by saves, held alone by each step of a sweep */
    SnapshotStore(StoreRoot root, NvmeTier nvme, MemoryTier memory, List<PackTier> shared, ReadWriteLock sweepLock) {
        this.root = root;
        this.sweepLock = sweepLock;
        this.nvme = nvme;
        this.memory = memory;
        this.manifests = new ManifestFiles(root.files(), nvme);
        this.sweep = new Sweep(nvme, memory, pins, sweepLock.writeLock(), this::named, manifestsWritten::get);
        this.pending = new PendingManifests(root);
        this.orphans = new OrphanSweep(root, nvme, pending, sweep);
        this.sources = ChunkSources.of(nvme, shared);
    }

    /** Where content of snapshots may come from. */
    public ChunkSources sources() {
        return sources;
    }

    public NvmeTier nvme() {
        return nvme;
    }

    public MemoryTier memory() {
        return memory;
    }

    /** Starts a save: what it pins is safe from deletion until it is closed. */
    public SavePins pins() {
        return pins(nvme::store);
    }

    /** Starts to bring chunks from elsewhere, which leaves room to saves; the same otherwise. */
    public SavePins pinsToBring() {
        return pins(nvme::bring);
    }

    private SavePins pins(SavePins.Put put) {
        SavePins fresh = new SavePins(nvme, put, sweepLock.readLock(), pins::remove);
        pins.add(fresh);
        return fresh;
    }

    /** Keeps a snapshot from being deleted until the use is closed; empty while it is being deleted, or about to be. */
    public Optional<SnapshotUses.Use> use(SnapshotId snapshot) {
        return uses.begin(snapshot);
    }

    /** Says that it is about to be deleted, until that is closed: nobody begins to use it, and who can let go of it does. */
    public SnapshotUses.Wish wishForDeletion(SnapshotId snapshot) {
        return uses.wish(snapshot);
    }

    /** Whether somebody waits to delete it. */
    public boolean isWantedForDeletion(SnapshotId snapshot) {
        return uses.isWanted(snapshot);
    }

    /**
     * A committed snapshot's manifest; parsed when it is first asked for.
     *
     * @throws TierException MISSING; CORRUPT when it cannot be read the second time either, in a store that gives other things, or is no
     *     manifest of this snapshot; IO
     * @throws ManifestException when it is of a schema that this daemon does not know
     */
    public ReadManifest read(SnapshotId snapshot) throws TierException, ManifestException {
        return manifests.read(committed(snapshot));
    }

    /** As {@link #read}, of a save that is not committed yet. */
    public ReadManifest readPending(SnapshotId snapshot) throws TierException, ManifestException {
        return manifests.read(pending.file(snapshot));
    }

    /**
     * Of this node's store, as it is on the medium.
     *
     * @throws TierException as {@link #read}
     */
    public byte[] manifest(SnapshotId snapshot) throws TierException {
        return manifests.believed(committed(snapshot));
    }

    /** The same; where it is damaged that is told. */
    public byte[] manifest(SnapshotId snapshot, Damage told) throws TierException {
        try {
            return manifest(snapshot);
        } catch (TierException e) {
            if (e.reason() == Reason.CORRUPT) {
                told.found(ChunkSources.NVME, String.valueOf(e.getMessage()));
            }
            throw e;
        }
    }

    private Path committed(SnapshotId snapshot) {
        return root.manifests().resolve(snapshot + ManifestFiles.SUFFIX);
    }

    /**
     * Of this node's store, else of the first shared one that has one that will do.
     *
     * @param from in the order in which shared stores are asked; what it tells of damage is told of this store's copy
     * @param wanted whether these bytes are what is looked for
     * @throws TierException MISSING where nobody has the snapshot; CORRUPT where those who have it have it wrong; IO,
     *     UNAVAILABLE
     */
    public byte[] anyManifest(SnapshotId snapshot, ChunkSources from, Predicate<byte[]> wanted) throws TierException {
        TierException failure;
        try {
            return manifest(snapshot, from.damage());
        } catch (TierException e) {
            failure = e;
        }
        for (PackTier tier : from.shared()) {
            try {
                return tier.manifest(snapshot, wanted);
            } catch (TierException e) {
                if (failure.reason() == Reason.MISSING && e.reason() != Reason.MISSING) {
                    failure = e;
                }
            }
        }
        throw failure;
    }

    /** @throws TierException as {@link #read} */
    public byte[] pendingManifest(SnapshotId snapshot) throws TierException {
        return manifests.bytes(pending.file(snapshot));
    }

    /**
     * From here on the chunks are safe also over a daemon's death.
     *
     * @throws ManifestException when it could not be read again: then nothing is written
     */
    public ReadManifest writePending(SnapshotId snapshot, byte[] manifest) throws TierException, ManifestException {
        ReadManifest read = ManifestCache.parse(manifest);
        Path file = pending.file(snapshot);
        pending.take(file);
        root.files().write(file, MemorySegment.ofArray(manifest));
        manifestsWritten.incrementAndGet();
        nvme.sync();
        manifests.written(file, read);
        return read;
    }

    /** The pending manifest becomes the snapshot. Idempotent. */
    public void commit(SnapshotId snapshot) throws TierException {
        // A sweep must not look between the two names.
        sweepLock.readLock().lock();
        try {
            Path file = pending.file(snapshot);
            Path manifest = committed(snapshot);
            if (!Files.exists(manifest)) {
                manifests.copy(file, manifest);
                manifestsWritten.incrementAndGet();
                nvme.sync();
            }
            manifests.delete(file);
            nvme.sync();
            pending.letGo(file);
        } finally {
            sweepLock.readLock().unlock();
        }
    }

    /**
     * Ends a save that failed: its pending manifest goes, and of the chunks that it wrote those that nobody else names. Where that does
     * not come to its end, nothing is held any more all the same: the look for orphans takes what is left.
     */
    public void abandon(SnapshotId snapshot, SavePins failed) throws TierException, ManifestException {
        Set<ChunkDigest> candidates = new HashSet<>(failed.pinned());
        Path file = pending.file(snapshot);
        try {
            candidates.addAll(manifests.digests(file));
        } finally {
            try {
                manifests.delete(file);
            } finally {
                pending.letGo(file);
                failed.close();
            }
        }
        freed(candidates);
    }

    /** The same of a save that failed when it was committed, or about to be: the snapshot goes as well, if there is one. */
    public void abandonCommit(SnapshotId snapshot, SavePins failed) throws TierException, ManifestException {
        try {
            if (list().contains(snapshot)) {
                delete(snapshot);
            }
        } finally {
            abandon(snapshot, failed);
        }
    }

    /**
     * Deletes a snapshot and every chunk in the store that nothing names any more. From the first moment on the snapshot does not
     * exist; saves of other workloads go on between the deletions of its chunks. What a crash interrupts is ended by the next
     * call, for this snapshot or for another; so is one that had to leave its chunks, as {@link #freed} says.
     *
     * @return bytes that became free
     * @throws TierException MISSING when there is no such snapshot, IN_USE, IO
     */
    public long delete(SnapshotId snapshot) throws TierException {
        Path manifest = committed(snapshot);
        Path deleted = root.deleted().resolve(snapshot + ManifestFiles.SUFFIX);
        SnapshotUses.Deletion deletion = uses.delete(snapshot)
                .orElseThrow(() -> new TierException(Reason.IN_USE, "snapshot " + snapshot + " is in use"));
        try (deletion) {
            if (Files.exists(manifest)) {
                manifests.move(manifest, deleted);
                nvme.sync();
            } else if (!Files.exists(deleted)) {
                throw new TierException(Reason.MISSING, "snapshot " + snapshot + " is not in this store");
            }
            List<Path> ending = ManifestFiles.in(root.deleted());
            OptionalLong freedBytes = freed(nvme.list());
            if (freedBytes.isEmpty()) {
                return 0;
            }
            for (Path ended : ending) {
                root.files().delete(ended);
            }
            nvme.sync();
            return freedBytes.getAsLong();
        }
    }

    /**
     * Deletes what of these nothing names.
     *
     * @return bytes that became free; empty where one of the manifests is damaged, or of a schema that this daemon does not know:
     *     what that one names is not known, so all stays until its copy is removed, and a later deletion or look takes it
     */
    private OptionalLong freed(Collection<ChunkDigest> candidates) throws TierException {
        try {
            return OptionalLong.of(sweep.run(candidates));
        } catch (NewerManifestException e) {
            return OptionalLong.empty();
        } catch (TierException e) {
            if (e.reason() == Reason.CORRUPT) {
                return OptionalLong.empty();
            }
            throw e;
        }
    }

    /** Looks for what nothing names, and deletes it once that is so for long enough. */
    public OrphanSweep orphans() {
        return orphans;
    }

    /**
     * What committed snapshots are made of: verified, each chunk of it, before its snapshot was. Not what only a damaged one names,
     * or one of a schema that this daemon does not know.
     */
    public Set<ChunkDigest> committedChunks() throws TierException {
        sweepLock.readLock().lock();
        try {
            Set<ChunkDigest> digests = new HashSet<>();
            for (Path file : ManifestFiles.in(root.manifests())) {
                digests.addAll(knownOf(file));
            }
            return digests;
        } finally {
            sweepLock.readLock().unlock();
        }
    }

    /**
     * What committed snapshots are made of, but for zeros.
     *
     * @throws TierException CORRUPT where a manifest is damaged: then not all is known; IO
     */
    public Set<ChunkRef> namedChunks() throws TierException, ManifestException {
        Set<ChunkRef> chunks = new HashSet<>();
        for (SnapshotId snapshot : list()) {
            read(snapshot).manifest().chunks().filter(chunk -> !chunk.isZero()).forEach(chunks::add);
        }
        return chunks;
    }

    /** What one manifest names; nothing where that is not known, as {@link #freed} says. */
    private Set<ChunkDigest> knownOf(Path file) throws TierException {
        try {
            return manifests.digests(file);
        } catch (NewerManifestException e) {
            return Set.of();
        } catch (TierException e) {
            if (e.reason() == Reason.CORRUPT) {
                return Set.of();
            }
            throw e;
        }
    }

    /**
     * @throws TierException CORRUPT where one of them is damaged, and so not all is known; IO
     * @throws NewerManifestException where one is of a schema that is not known: neither is all known then
     */
    private Set<ChunkDigest> named() throws TierException, NewerManifestException {
        Set<ChunkDigest> named = new HashSet<>();
        for (Path folder : List.of(root.manifests(), root.pending())) {
            for (Path file : ManifestFiles.in(folder)) {
                named.addAll(manifests.digests(file));
            }
        }
        return named;
    }

    /** Every committed snapshot. */
    public List<SnapshotId> list() throws TierException {
        return ManifestFiles.in(root.manifests()).stream()
                .map(ManifestFiles::snapshot)
                .toList();
    }

    @Override
    public void close() {
        sources.shared().forEach(PackTier::close);
        memory.close();
        nvme.close();
    }
}
