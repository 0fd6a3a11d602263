package io.gpusnap.node.tier.pack;

import io.gpusnap.gpu.Buffers;
import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.tier.ChunkTier;
import io.gpusnap.node.tier.DiskErrors;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import io.gpusnap.node.tier.TierKind;
import io.gpusnap.node.tier.TierUsage;
import io.gpusnap.node.tier.blob.BlobKey;
import io.gpusnap.node.tier.blob.BlobStore;
import io.gpusnap.node.tier.blob.BlobStore.IfThere;
import io.gpusnap.node.tier.key.DataKey;
import io.gpusnap.node.tier.key.TenantKeys;
import java.lang.foreign.MemorySegment;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A shared store as a tier of chunks. Chunks are packed: what is put waits in memory until a pack is full or {@link #sync} is
 * called, and is read from there meanwhile. A pack that is in the store was read back from it and compared. Nothing is asked of the
 * store before it is needed, so one that hangs does not keep the daemon from starting.
 */
public final class PackTier implements ChunkTier {

    private static final Logger LOG = LoggerFactory.getLogger(PackTier.class);

    private final PackSettings settings;
    private final BlobStore store;
    private final Supplier<Frames> frames;
    private final FrameSettings framing;
    private final Catalogue catalogue;
    private final PackPublisher publisher;
    private final SharedSnapshots snapshots;
    private final PlaceReader places;
    private final UUID ownCopy = UUID.randomUUID();
    private final LongAdder quarantined = new LongAdder();
    private volatile @Nullable UUID storeId;
    /** Have a lock of their own: the tier's guards the pack that is being filled. */
    private final Looks looks = new Looks(this::lookThrough);

    private @Nullable PackBuffer open;

    /** @param frames what is done to chunks on their way */
    public PackTier(PackSettings settings, BlobStore store, FrameSettings frames) {
        this.settings = settings;
        this.store = store;
        this.framing = frames;
        this.catalogue = new Catalogue(frames::opens);
        this.frames = () -> new SealingFrames(frames, this::storeId, this::newest);
        this.publisher = new PackPublisher(store);
        this.snapshots = new SharedSnapshots(store, catalogue, publisher, frames.signer(), this::isDamage);
        this.places = new PlaceReader(store, this.frames, catalogue, looks::again, this::notThere, this::quarantine);
    }

    public String name() {
        return settings.name();
    }

    public PackSettings settings() {
        return settings;
    }

    /** What the tier is built on: for who looks after the store as such. */
    public BlobStore store() {
        return store;
    }

    /** The data keys that encrypt here, the tenant's or its group's; empty where nothing is encrypted. */
    public Optional<TenantKeys> keys() {
        return framing.keys();
    }

    /** Of a tenant that shares with a group: its own, which only decrypt. */
    public Optional<TenantKeys> ownKeys() {
        return framing.own();
    }

    /** The store's id, the same on every node that shares it. @throws TierException IO, UNAVAILABLE */
    public UUID storeId() throws TierException {
        UUID known = storeId;
        if (known == null) {
            known = StoreMarker.openOrCreate(store);
            storeId = known;
        }
        return known;
    }

    /** As far as it is known without asking. */
    public Optional<UUID> knownStoreId() {
        return Optional.ofNullable(storeId);
    }

    public Optional<String> trouble() {
        return store.trouble();
    }

    /**
     * Asks the store for something small. One that had trouble and answers has none any more.
     *
     * @throws TierException IO, UNAVAILABLE
     */
    public void look() throws TierException {
        store.find(BlobKey.marker());
    }

    /**
     * Whether a read that failed tells of damage to what was read: an error of the medium in a store that gives what else it holds. Of a
     * store that does not, nothing is known.
     */
    public boolean isDamage(TierException failure) {
        if (!DiskErrors.isOfMedium(failure)) {
            return false;
        }
        try {
            StoreMarker.readBack(store);
            return true;
        } catch (TierException e) {
            failure.addSuppressed(e);
            return false;
        }
    }

    /** How often a chunk was found wrong here in this daemon's life. */
    public long quarantined() {
        return quarantined.sum();
    }

    @Override
    public TierKind kind() {
        return store.kind();
    }

    @Override
    public Durability durability() {
        return Durability.NODE;
    }

    /** Learns what other nodes have put and deleted. */
    public void refresh() throws TierException {
        looks.anew();
    }

    private void lookThrough() throws TierException {
        storeId();
        new IndexLoader(store, catalogue).load();
    }

    /**
     * As {@link #refresh}, unless that has begun since: for those who did not find what should be there, many at once perhaps.
     *
     * @param nanos of {@link System#nanoTime}
     */
    public void refreshSince(long nanos) throws TierException {
        looks.since(nanos);
    }

    /** As of the last {@link #refresh}. */
    @Override
    public boolean contains(ChunkDigest digest, int sizeBytes) throws TierException {
        looks.once();
        return find(digest).filter(found -> found == sizeBytes).isPresent();
    }

    private synchronized Optional<Integer> find(ChunkDigest digest) {
        Optional<PackEntry> waiting = open == null ? Optional.empty() : open.find(digest);
        return waiting.or(() -> catalogue.shared(digest, any -> true).map(Catalogue.Place::entry))
                .map(PackEntry::sizeBytes);
    }

    @Override
    public synchronized boolean put(ChunkDigest digest, MemorySegment content) throws TierException {
        if (contains(digest, (int) content.byteSize())) {
            return false;
        }
        PackBuffer buffer = open;
        if (buffer == null) {
            buffer = new PackBuffer(settings.packBytes(), frames);
            open = buffer;
        }
        if (!buffer.hasRoomFor(content.byteSize())) {
            sync();
        }
        buffer.add(digest, content);
        return true;
    }

    @Override
    public synchronized void sync() throws TierException {
        PackBuffer buffer = open;
        if (buffer != null && !buffer.isEmpty()) {
            catalogue.add(publisher.publish(buffer, ownCopy), ownCopy);
            buffer.clear();
        }
    }

    /** Makes a pack of its own of what a copy brings, for {@link PackWriter}. */
    PackTable.Pack publish(PackBuffer buffer, UUID copy) throws TierException {
        PackTable.Pack pack = publisher.publish(buffer, copy);
        catalogue.add(pack, copy);
        return pack;
    }

    /**
     * Packs of one copy of a snapshot. What an older data key has encrypted does not count as there: so it moves to the newest one
     * with the copies that are made from then on, and goes with the last copy of before.
     */
    public PackWriter writer(UUID copy) throws TierException {
        Predicate<String> shared = sharedScopes();
        return new PackWriter(this, frames, copy, catalogue.madeBy(copy), chunk -> isIn(chunk, shared));
    }

    /** As {@link LostPacks#drop}. */
    void dropLost(Collection<ChunkRef> chunks) throws TierException {
        looks.once();
        new LostPacks(store, catalogue).drop(chunks);
    }

    private boolean isIn(ChunkRef chunk, Predicate<String> scopes) throws TierException {
        looks.once();
        return catalogue
                .shared(new ChunkDigest(chunk.digest()), scopes)
                .filter(place -> place.entry().sizeBytes() == chunk.sizeBytes())
                .isPresent();
    }

    /** In what packs the chunks lie that a new copy shares with others: nobody's, or those of the key that encrypts now. */
    private Predicate<String> sharedScopes() throws TierException {
        if (framing.keys().isEmpty()) {
            return String::isEmpty;
        }
        String newest = newest(framing.keys().get()).scope();
        return scope -> scope.isEmpty() || scope.equals(newest);
    }

    private DataKey newest(TenantKeys keys) throws TierException {
        return keys.current(storeId(), sealedBy(keys));
    }

    /** What packs of the store say of these keys; each time that it is asked the store is, too. */
    public TenantKeys.Sealed sealedBy(TenantKeys keys) {
        return numbers -> storedBytesByScope().keySet().stream()
                .map(keys::numberOf)
                .flatMapToInt(OptionalInt::stream)
                .anyMatch(numbers);
    }

    /** What packs take in the store by the data key that encrypted them, by its scope; "" for those that none has. */
    public Map<String, Long> storedBytesByScope() throws TierException {
        refresh();
        return catalogue.frameBytesByScope();
    }

    @Override
    public void read(ChunkDigest digest, int sizeBytes, MemorySegment buffer) throws TierException {
        looks.once();
        if (!readWaiting(digest, sizeBytes, buffer)) {
            places.read(digest, sizeBytes, buffer);
        }
    }

    /**
     * Reads a chunk and proves it: where it is wrong in one pack, that place is put in quarantine and the next pack that has it is
     * read.
     *
     * @param digestOf of content
     * @return what was found wrong on the way to the pack that has it right
     * @throws TierException MISSING; CORRUPT when no pack has it right; IO, UNAVAILABLE
     */
    public Optional<TierException> readProven(
            ChunkRef chunk, MemorySegment buffer, Function<MemorySegment, ChunkRef> digestOf) throws TierException {
        looks.once();
        ChunkDigest digest = new ChunkDigest(chunk.digest());
        return readWaiting(digest, chunk.sizeBytes(), buffer)
                ? Optional.empty()
                : places.readProven(chunk, buffer, digestOf);
    }

    /**
     * What is wrong with a chunk that is in no pack which this node could read.
     *
     * @return NO_KEY where it is in one that is encrypted for others, else MISSING
     */
    public TierException notThere(ChunkDigest digest) {
        return catalogue
                .foreign(digest)
                .map(scope -> framing.foreign(digest, scope))
                .orElseGet(
                        () -> new TierException(Reason.MISSING, "chunk " + digest + " is not in " + store.location()));
    }

    private synchronized boolean readWaiting(ChunkDigest digest, int sizeBytes, MemorySegment target)
            throws TierException {
        PackBuffer buffer = open;
        Optional<PackEntry> waiting = buffer == null ? Optional.empty() : buffer.find(digest);
        if (buffer == null || waiting.isEmpty()) {
            return false;
        }
        PackReader.requireSize(digest, waiting.get().sizeBytes(), sizeBytes);
        Frames own = frames.get();
        own.read(
                digest,
                waiting.get().codec(),
                buffer.scope(),
                buffer.frame(waiting.get()),
                target.asSlice(0, sizeBytes));
        return true;
    }

    /** Of these chunks those that are known to be here, in as few reads as possible. */
    public List<PackRun> runs(Collection<ChunkRef> chunks) {
        return catalogue.runs(chunks);
    }

    /** As {@link #runs}, of a store that was not asked for anything yet as well. @throws TierException IO, UNAVAILABLE */
    public List<PackRun> find(Collection<ChunkRef> chunks) throws TierException {
        looks.once();
        return catalogue.runs(chunks);
    }

    /** The stretch of this store that the chunk lies in, as far as it is known without asking. */
    public Optional<String> window(ChunkRef chunk) {
        return chunk.content()
                .flatMap(catalogue::find)
                .filter(place -> place.entry().sizeBytes() == chunk.sizeBytes())
                .map(place -> PackRun.window(place.pack(), place.entry()));
    }

    /**
     * One object a thread.
     *
     * @param buffers outlive it
     */
    public RunReader runReader(Buffers buffers) {
        return new RunReader(new PackReader(store, frames.get()), buffers);
    }

    /**
     * Chunks of a run that were not what their names say: they are looked for elsewhere from now on, on every node, and a copy that
     * needs them brings them again. It is the place that is condemned, so whoever read says which that was: where the chunk lies
     * now may be another, good one.
     */
    public void quarantine(PackRun run, Collection<ChunkRef> wrong) {
        wrong.forEach(
                chunk -> quarantine(new ChunkDigest(chunk.digest()), run.pack().id()));
    }

    /** The pack of the run is not there any more: its chunks are looked for elsewhere from now on. */
    public void gone(PackRun run) {
        catalogue.gone(run.pack());
    }

    void quarantine(ChunkDigest digest, ChunkDigest packId) {
        if (catalogue.wrong(digest, packId)) {
            quarantined.increment();
            try {
                store.put(BlobKey.quarantine(digest, packId), MemorySegment.ofArray(new byte[] {'\n'}), IfThere.KEEP);
            } catch (TierException e) {
                // Other nodes find out by themselves.
                LOG.atWarn()
                        .addKeyValue("store", store.location())
                        .log("a bad chunk could not be marked: " + e.getMessage());
            }
        }
    }

    /**
     * Rewrites the packs that have the chunk, without it. For the odd chunk: what is garbage in a shared store is decided for
     * whole packs. Nobody else may use the store meanwhile.
     */
    @Override
    public synchronized boolean delete(ChunkDigest digest) throws TierException {
        sync();
        looks.once();
        boolean deleted = false;
        Optional<Catalogue.Place> place = catalogue.find(digest);
        while (place.isPresent()) {
            new Repacking(this, store, frames.get()).without(digest, place.get().pack(), UUID.randomUUID());
            catalogue.remove(place.get().pack().id());
            deleted = true;
            place = catalogue.find(digest);
        }
        return deleted;
    }

    @Override
    public Set<ChunkDigest> list() throws TierException {
        sync();
        refresh();
        return catalogue.chunks();
    }

    @Override
    public TierUsage usage() throws TierException {
        looks.once();
        TierUsage medium = store.usage();
        long waiting = waitingBytes();
        return new TierUsage(
                kind(), store.location(), medium.capacityBytes(), medium.freeBytes(), catalogue.frameBytes() + waiting);
    }

    private synchronized long waitingBytes() {
        return open == null ? 0 : open.sizeBytes();
    }

    /** For the service's garbage. */
    public StoreSweep sweep() {
        return new StoreSweep(store, catalogue);
    }

    public List<SharedSnapshot> snapshots() throws TierException {
        storeId();
        return snapshots.list("");
    }

    /**
     * The exact bytes of a manifest.
     *
     * @param wanted whether these will do: the store may have more than one copy
     * @throws TierException MISSING, CORRUPT (none that will do), IO, UNAVAILABLE
     */
    public byte[] manifest(SnapshotId snapshot, Predicate<byte[]> wanted) throws TierException {
        storeId();
        return snapshots.read(snapshot, wanted);
    }

    /** The signature of this very manifest, where a copy here has one that this node would trust. */
    public Optional<byte[]> signature(SnapshotId snapshot, byte[] manifest) throws TierException {
        storeId();
        return snapshots.signature(snapshot, manifest);
    }

    /**
     * Makes the snapshot exist here, once all of its chunks do.
     *
     * @return every object that it needs
     * @throws TierException MISSING when a chunk is not here
     */
    public List<SharedObject> publish(SnapshotId snapshot, UUID copy, byte[] manifest, Collection<ChunkRef> chunks)
            throws TierException {
        // The daemon that brought the chunks, and looked what is there, may have been the one before.
        dropLost(chunks);
        try {
            return snapshots.publish(snapshot, copy, manifest, chunks, sharedScopes());
        } catch (TierException e) {
            if (e.reason() != TierException.Reason.MISSING) {
                throw e;
            }
            // What was looked for while another copy wrote it counts as lost until the store is listed anew.
            refresh();
            dropLost(chunks);
            return snapshots.publish(snapshot, copy, manifest, chunks, sharedScopes());
        }
    }

    @Override
    public synchronized void close() {
        PackBuffer buffer = open;
        if (buffer != null) {
            buffer.close();
            open = null;
        }
        store.close();
    }
}
