package io.gpusnap.node.snapshot;

import io.gpusnap.node.file.Folders;
import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.tier.DiskErrors;
import io.gpusnap.node.tier.MemoryTier;
import io.gpusnap.node.tier.NvmeTier;
import io.gpusnap.node.tier.StoreRoot;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import io.gpusnap.node.tier.pack.PackTier;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
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

    static final String SUFFIX = ".json";
    /** Of manifests' text, about as much in memory: a hundred 8B models. */
    private static final long CACHED_BYTES = 64L << 20;

    private final StoreRoot root;
    private final NvmeTier nvme;
    private final MemoryTier memory;
    private final ChunkSources sources;
    private final ReadWriteLock sweepLock;
    private final Set<SavePins> pins = ConcurrentHashMap.newKeySet();
    private final SnapshotUses uses = new SnapshotUses();
    private final ManifestCache manifests = new ManifestCache(CACHED_BYTES);
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
        SavePins fresh = new SavePins(nvme, sweepLock.readLock(), pins::remove);
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
     * @throws TierException MISSING, IO
     */
    public ReadManifest read(SnapshotId snapshot) throws TierException, ManifestException {
        return parsed(root.manifests().resolve(snapshot + SUFFIX), snapshot);
    }

    /** As {@link #read}, of a save that is not committed yet. */
    public ReadManifest readPending(SnapshotId snapshot) throws TierException, ManifestException {
        return parsed(pending.file(snapshot), snapshot);
    }

    private ReadManifest parsed(Path file, SnapshotId snapshot) throws TierException, ManifestException {
        try {
            return manifests.read(file);
        } catch (IOException e) {
            throw unread(file, snapshot, e);
        }
    }

    /**
     * Of this node's store.
     *
     * @throws TierException MISSING; CORRUPT also when it cannot be read the second time either, in a store that gives other things; IO
     */
    public byte[] manifest(SnapshotId snapshot) throws TierException {
        Path file = root.manifests().resolve(snapshot + SUFFIX);
        try {
            return readFile(file, snapshot);
        } catch (TierException e) {
            if (!DiskErrors.isOfMedium(e)) {
                throw e;
            }
        }
        try {
            return readFile(file, snapshot);
        } catch (TierException again) {
            throw nvme.isDamage(again)
                    ? new TierException(
                            Reason.CORRUPT,
                            "the manifest of snapshot %s cannot be read, its store can: %s"
                                    .formatted(snapshot, again.getMessage()),
                            again)
                    : again;
        }
    }

    /**
     * Of this node's store, else of the first shared one that has one that will do.
     *
     * @param from in the order in which shared stores are asked
     * @param wanted whether these bytes are what is looked for
     * @throws TierException MISSING where nobody has the snapshot; CORRUPT where those who have it have it wrong; IO,
     *     UNAVAILABLE
     */
    public byte[] anyManifest(SnapshotId snapshot, ChunkSources from, Predicate<byte[]> wanted) throws TierException {
        TierException failure;
        try {
            return manifest(snapshot);
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

    /** @throws TierException MISSING, IO */
    public byte[] pendingManifest(SnapshotId snapshot) throws TierException {
        return readFile(pending.file(snapshot), snapshot);
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
        try {
            manifests.written(file, read);
        } catch (IOException e) {
            throw unread(file, snapshot, e);
        }
        return read;
    }

    /** The pending manifest becomes the snapshot. Idempotent. */
    public void commit(SnapshotId snapshot) throws TierException {
        // A sweep must not look between the two names.
        sweepLock.readLock().lock();
        try {
            Path file = pending.file(snapshot);
            Path manifest = root.manifests().resolve(snapshot + SUFFIX);
            if (!Files.exists(manifest)) {
                root.files().write(manifest, MemorySegment.ofArray(pendingManifest(snapshot)));
                manifests.copied(file, manifest);
                manifestsWritten.incrementAndGet();
                nvme.sync();
            }
            deleteManifest(file);
            nvme.sync();
            pending.letGo(file);
        } catch (IOException e) {
            throw new TierException(Reason.IO, "cannot look at the manifest of snapshot " + snapshot, e);
        } finally {
            sweepLock.readLock().unlock();
        }
    }

    private void deleteManifest(Path file) throws TierException {
        root.files().delete(file);
        manifests.forget(file);
    }

    /**
     * Ends a save that failed: its pending manifest goes, and of the chunks that it wrote those that nobody else names. Where that does
     * not come to its end, nothing is held any more all the same: the look for orphans takes what is left.
     */
    public void abandon(SnapshotId snapshot, SavePins failed) throws TierException, ManifestException {
        Set<ChunkDigest> candidates = new HashSet<>(failed.pinned());
        Path file = pending.file(snapshot);
        try {
            candidates.addAll(digestsOf(file));
        } finally {
            try {
                deleteManifest(file);
            } finally {
                pending.letGo(file);
                failed.close();
            }
        }
        sweep.run(candidates);
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
     * call, for this snapshot or for another.
     *
     * @return bytes that became free
     * @throws TierException MISSING when there is no such snapshot, IN_USE, IO
     * @throws ManifestException when another manifest cannot be read: then nothing can be known to be unnamed
     */
    public long delete(SnapshotId snapshot) throws TierException, ManifestException {
        Path manifest = root.manifests().resolve(snapshot + SUFFIX);
        Path deleted = root.deleted().resolve(snapshot + SUFFIX);
        SnapshotUses.Deletion deletion = uses.delete(snapshot)
                .orElseThrow(() -> new TierException(Reason.IN_USE, "snapshot " + snapshot + " is in use"));
        try (deletion) {
            if (Files.exists(manifest)) {
                root.files().move(manifest, deleted);
                manifests.forget(manifest);
                nvme.sync();
            } else if (!Files.exists(deleted)) {
                throw new TierException(Reason.MISSING, "snapshot " + snapshot + " is not in this store");
            }
            List<Path> ending = manifestsIn(root.deleted());
            long freedBytes = sweep.run(nvme.list());
            for (Path ended : ending) {
                root.files().delete(ended);
            }
            nvme.sync();
            return freedBytes;
        }
    }

    /** Looks for what nothing names, and deletes it once that is so for long enough. */
    public OrphanSweep orphans() {
        return orphans;
    }

    /** What committed snapshots are made of: verified, each chunk of it, before its snapshot was. */
    public Set<ChunkDigest> committedChunks() throws TierException, ManifestException {
        sweepLock.readLock().lock();
        try {
            Set<ChunkDigest> digests = new HashSet<>();
            for (Path file : manifestsIn(root.manifests())) {
                digests.addAll(digestsOf(file));
            }
            return digests;
        } finally {
            sweepLock.readLock().unlock();
        }
    }

    private Set<ChunkDigest> named() throws TierException, ManifestException {
        Set<ChunkDigest> named = new HashSet<>();
        for (Path folder : List.of(root.manifests(), root.pending())) {
            for (Path file : manifestsIn(folder)) {
                named.addAll(digestsOf(file));
            }
        }
        return named;
    }

    /** None of a manifest that is gone by now. */
    private Set<ChunkDigest> digestsOf(Path file) throws TierException, ManifestException {
        Set<ChunkDigest> digests = new HashSet<>();
        try {
            manifests
                    .read(file)
                    .manifest()
                    .chunks()
                    .map(ChunkRef::content)
                    .flatMap(Optional::stream)
                    .forEach(digests::add);
        } catch (NoSuchFileException e) {
            return digests;
        } catch (IOException e) {
            throw new TierException(Reason.IO, "cannot read " + file, e);
        } catch (ManifestException e) {
            throw new ManifestException(file + ": " + e.getMessage(), e);
        }
        return digests;
    }

    /** Every committed snapshot. */
    public List<SnapshotId> list() throws TierException {
        List<SnapshotId> snapshots = new ArrayList<>();
        for (Path file : manifestsIn(root.manifests())) {
            String name = file.getFileName().toString();
            snapshots.add(SnapshotId.parse(name.substring(0, name.length() - SUFFIX.length())));
        }
        return snapshots;
    }

    static List<Path> manifestsIn(Path folder) throws TierException {
        try {
            return Folders.list(folder, "*" + SUFFIX);
        } catch (IOException e) {
            throw new TierException(Reason.IO, "cannot list " + folder, e);
        }
    }

    private byte[] readFile(Path file, SnapshotId snapshot) throws TierException {
        try {
            return root.files().read(file);
        } catch (TierException e) {
            throw e.reason() == Reason.MISSING ? missing(snapshot, e) : e;
        }
    }

    private static TierException unread(Path file, SnapshotId snapshot, IOException e) {
        return e instanceof NoSuchFileException
                ? missing(snapshot, e)
                : new TierException(Reason.IO, "cannot read " + file, e);
    }

    private static TierException missing(SnapshotId snapshot, Exception cause) {
        return new TierException(Reason.MISSING, "snapshot " + snapshot + " is not in this store", cause);
    }

    @Override
    public void close() {
        sources.shared().forEach(PackTier::close);
        memory.close();
        nvme.close();
    }
}
