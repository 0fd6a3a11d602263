package io.gpusnap.node.tier;

import com.sun.nio.file.ExtendedOpenOption;
import io.gpusnap.node.file.Folders;
import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.TreeDigester;
import io.gpusnap.node.tier.TierException.Reason;
import io.gpusnap.node.tier.key.KeyProvider;
import io.gpusnap.node.tier.key.TenantKeys;
import io.gpusnap.node.tier.pack.Compression;
import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.HashSet;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/**
 * Chunks as files on a local file system, {@code chunks/<2 hex>/<64 hex>} under the {@link StoreRoot}. A chunk is written to
 * a temporary file and renamed; the fsyncs of files and folders are collected until {@link #sync}.
 */
public final class NvmeTier implements ChunkTier {

    private static final int PAGE_BYTES = 4096;
    /**
     * What is being read from the drive at once, at most: enough to keep it at its best, and little enough that others' reads are not
     * behind a queue. In bytes, for chunks of a process image are a sixth of those of a GPU.
     */
    private static final int BYTES_AT_ONCE = 32 << 20;

    private final StoreRoot root;
    private final long reserveBytes;
    private final Optional<ChunkSealing> sealing;
    private final boolean encrypts;
    private final Compression compression;
    private final ChunkFiles chunks;
    private final ChunkBytes used = new ChunkBytes();
    /** What running saves may still write of what they were told that there is. */
    private final AtomicLong promised = new AtomicLong();

    private final LongAdder quarantined = new LongAdder();
    private final Quarantine quarantine;
    /** Found bad, and still there: they could not be moved away. */
    private final Set<ChunkDigest> condemned = ConcurrentHashMap.newKeySet();

    private final DirectSupport directReads = new DirectSupport();
    private final Semaphore drive = new Semaphore(BYTES_AT_ONCE, true);
    private volatile @Nullable FileStore fileStore;

    /** @param reserveBytes free space that puts leave alone */
    public NvmeTier(StoreRoot root, long reserveBytes) {
        this(root, reserveBytes, Optional.empty(), "", false, Compression.OFF);
    }

    /**
     * A store whose chunks may be encrypted and compressed. All kinds are read, whatever is written.
     *
     * @param provider wraps the data keys; empty: what is encrypted cannot be read
     * @param tenant whose data keys
     * @param encrypts what is written; needs a provider
     * @param compression of what is written, where it shrinks
     */
    public NvmeTier(
            StoreRoot root,
            long reserveBytes,
            Optional<KeyProvider> provider,
            String tenant,
            boolean encrypts,
            Compression compression) {
        this.root = root;
        this.quarantine = new Quarantine(root);
        this.reserveBytes = reserveBytes;
        this.sealing = provider.map(
                it -> new ChunkSealing(new TenantKeys(new NodeKeyFolder(root), it, tenant), root, this::isSealedBy));
        this.encrypts = encrypts && sealing.isPresent();
        this.compression = compression;
        this.chunks = new ChunkFiles(sealing, this.encrypts, compression);
    }

    /** The data keys of this store; empty where nothing was ever encrypted. */
    public Optional<TenantKeys> keys() throws TierException {
        return encrypts || !new NodeKeyFolder(root).isEmpty() ? sealing.map(ChunkSealing::keys) : Optional.empty();
    }

    @Override
    public TierKind kind() {
        return TierKind.NVME;
    }

    @Override
    public Durability durability() {
        return Durability.NODE;
    }

    @Override
    public boolean contains(ChunkDigest digest, int sizeBytes) throws TierException {
        if (condemned.contains(digest)) {
            return false;
        }
        Path file = fileOf(digest);
        try {
            BasicFileAttributes attributes =
                    Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
            return attributes.isRegularFile() && chunks.readable(attributes.size(), sizeBytes);
        } catch (NoSuchFileException e) {
            return false;
        } catch (IOException e) {
            throw DiskErrors.typed("look up", file, e);
        }
    }

    @Override
    public boolean put(ChunkDigest digest, MemorySegment content) throws TierException {
        return store(digest, content).isPresent();
    }

    /** As {@link #put}. @return what it takes here; empty when it was here already */
    public OptionalLong store(ChunkDigest digest, MemorySegment content) throws TierException {
        return store(digest, content, 0);
    }

    /** As {@link #store}, of what can come another time: it leaves what saves were promised. */
    public OptionalLong bring(ChunkDigest digest, MemorySegment content) throws TierException {
        return store(digest, content, promised.get());
    }

    private OptionalLong store(ChunkDigest digest, MemorySegment content, long sparedBytes) throws TierException {
        if (contains(digest, (int) content.byteSize())) {
            renew(digest);
            return OptionalLong.empty();
        }
        requireSpace(content.byteSize(), sparedBytes);
        if (compression != Compression.OFF) {
            root.requireVersion(StoreRoot.COMPRESSED);
        }
        long bytes = chunks.encode(digest, content, file -> root.files().write(fileOf(digest), file));
        used.addBytes(bytes);
        condemned.remove(digest);
        return OptionalLong.of(bytes);
    }

    /** The next {@link #sync} makes a chunk durable that is here: whoever wrote it may have died before it was. */
    public void renew(ChunkDigest digest) throws TierException {
        root.files().renew(fileOf(digest));
    }

    /** The number of the data key that has encrypted the chunk; empty when it is not here, or not encrypted. */
    public OptionalInt keyOf(ChunkDigest digest, int sizeBytes) throws TierException {
        Path file = fileOf(digest);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS)) {
            return ChunkFiles.keyOf(channel, sizeBytes);
        } catch (NoSuchFileException e) {
            return OptionalInt.empty();
        } catch (IOException e) {
            throw DiskErrors.typed("read", file, e);
        }
    }

    /** Whether a chunk that a manifest names is encrypted by a data key of such a number. Looks at each of them. */
    public boolean isSealedBy(IntPredicate numbers) throws TierException {
        return new SealedChunks(root, this::keyOf).anyBy(numbers);
    }

    /** Of this node's store, for ever. */
    public UUID storeId() throws TierException {
        return root.storeId();
    }

    /** What the chunk takes here, which may be less or more than its size; 0 when it is not here. */
    public long storedBytes(ChunkDigest digest) throws TierException {
        Path file = fileOf(digest);
        try {
            return Files.size(file);
        } catch (NoSuchFileException e) {
            return 0;
        } catch (IOException e) {
            throw DiskErrors.typed("look up", file, e);
        }
    }

    /**
     * As {@link #requireSpace}, of chunks that are about to be brought, beside what saves were promised. What they will take is not known
     * where they are compressed: there it is for each {@link #bring} to find that there is no room.
     *
     * @param savedBytes of all of them
     */
    public void requireSpaceToBring(long savedBytes) throws TierException {
        requireSpace(
                compression == Compression.OFF ? savedBytes : Math.min(savedBytes, TreeDigester.MAX_CHUNK_BYTES),
                promised.get());
    }

    /** Keeps room from what is brought until it is closed. Whether there is so much is not asked. */
    public RoomPromise promise(long sizeBytes) {
        return new RoomPromise(promised, sizeBytes);
    }

    /** @throws TierException NO_SPACE when a put of this size would cut into the reserve */
    public void requireSpace(long sizeBytes) throws TierException {
        requireSpace(sizeBytes, 0);
    }

    private void requireSpace(long sizeBytes, long sparedBytes) throws TierException {
        long usable = usableBytes();
        if (usable - reserveBytes - sparedBytes < sizeBytes) {
            throw new TierException(
                    Reason.NO_SPACE,
                    "%s has %d bytes free, of which %d are reserved (nvme.reserveBytes)%s: no room for %d"
                            .formatted(
                                    root.path(),
                                    usable,
                                    reserveBytes,
                                    sparedBytes > 0 ? " and %d promised to saves".formatted(sparedBytes) : "",
                                    sizeBytes));
        }
    }

    /**
     * To be called before a snapshot's chunks are put: where they are encrypted, the data key that does it lies in the store when this
     * returns. One that had vanished is put back.
     *
     * @throws TierException NO_KEY when it is lost, and something that a snapshot needs is encrypted by it; IO, NO_SPACE when it cannot be
     *     put back
     */
    public void requireKey() throws TierException {
        if (encrypts) {
            sealing.orElseThrow().requireKey();
        }
    }

    @Override
    public void sync() throws TierException {
        root.files().sync();
    }

    @Override
    public void read(ChunkDigest digest, int sizeBytes, MemorySegment buffer) throws TierException {
        Path file = fileOf(digest);
        if (directReads.possible() && directable(buffer, sizeBytes)) {
            try (FileChannel channel = FileChannel.open(
                    file, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS, ExtendedOpenOption.DIRECT)) {
                read(channel, digest, sizeBytes, buffer, true);
                directReads.worked();
                return;
            } catch (NoSuchFileException e) {
                throw missing(digest, e);
            } catch (ClosedByInterruptException e) {
                throw DiskErrors.typed("read", file, e);
            } catch (IOException | UnsupportedOperationException e) {
                // Not every file system has O_DIRECT, and not all say so in the same way: the plain read judges.
                directReads.failed();
            }
        }
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS)) {
            read(channel, digest, sizeBytes, buffer, false);
        } catch (NoSuchFileException e) {
            throw missing(digest, e);
        } catch (IOException e) {
            throw DiskErrors.typed("read", file, e);
        }
    }

    /**
     * Where a chunk lies, for a reader of its own that goes past this tier. Nothing of its content is known.
     *
     * @return a regular file of this size; the reader must not follow it should it be a symbolic link by then
     * @throws TierException MISSING, CORRUPT (no regular file, or of another size), IO; UNAVAILABLE for one that is encrypted or
     *     compressed
     */
    public Path file(ChunkDigest digest, int sizeBytes) throws TierException {
        Path file = fileOf(digest);
        try {
            BasicFileAttributes attributes =
                    Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
            if (!attributes.isRegularFile()) {
                throw new TierException(Reason.CORRUPT, "chunk " + digest + " is no regular file");
            }
            if (!chunks.plain(digest, attributes.size(), sizeBytes)) {
                throw new TierException(
                        Reason.UNAVAILABLE, "chunk " + digest + " is encrypted or compressed in its file");
            }
            return file;
        } catch (NoSuchFileException e) {
            throw missing(digest, e);
        } catch (IOException e) {
            throw DiskErrors.typed("look up", file, e);
        }
    }

    private static boolean directable(MemorySegment buffer, int sizeBytes) {
        return buffer.isNative() && buffer.address() % PAGE_BYTES == 0 && buffer.byteSize() >= pages(sizeBytes);
    }

    /** @param direct whole pages are read */
    private void read(FileChannel channel, ChunkDigest digest, int sizeBytes, MemorySegment target, boolean direct)
            throws IOException, TierException {
        int fileBytes = (int) Math.min(channel.size(), Integer.MAX_VALUE);
        if (chunks.plain(digest, fileBytes, sizeBytes)) {
            readWhole(channel, digest, sizeBytes, target.asSlice(0, direct ? pages(sizeBytes) : sizeBytes));
            return;
        }
        chunks.lend(buffer -> {
            readWhole(channel, digest, fileBytes, buffer.asSlice(0, direct ? pages(fileBytes) : fileBytes));
            chunks.decode(digest, buffer.asSlice(0, fileBytes), target.asSlice(0, sizeBytes));
        });
    }

    private static int pages(int bytes) {
        return Math.ceilDiv(bytes, PAGE_BYTES) * PAGE_BYTES;
    }

    private void readWhole(FileChannel channel, ChunkDigest digest, int fileBytes, MemorySegment target)
            throws IOException, TierException {
        ByteBuffer bytes = target.asByteBuffer();
        long position = 0;
        drive.acquireUninterruptibly(fileBytes); // a read takes milliseconds
        try {
            while (position < fileBytes) {
                int read = channel.read(bytes, position);
                if (read <= 0) {
                    throw new TierException(Reason.CORRUPT, "chunk " + digest + " ended at " + position);
                }
                position += read;
            }
        } finally {
            drive.release(fileBytes);
        }
    }

    private static TierException missing(ChunkDigest digest, IOException cause) {
        return new TierException(Reason.MISSING, "chunk " + digest + " is not in the NVMe tier", cause);
    }

    @Override
    public boolean delete(ChunkDigest digest) throws TierException {
        Path file = fileOf(digest);
        try {
            long sizeBytes = Files.exists(file, LinkOption.NOFOLLOW_LINKS) ? Files.size(file) : 0;
            boolean deleted = Files.deleteIfExists(file);
            used.addBytes(deleted ? -sizeBytes : 0);
            return deleted;
        } catch (IOException e) {
            throw DiskErrors.typed("delete", file, e);
        }
    }

    /**
     * Whether a read that failed tells of damage to its chunk: an error of the medium, which gives what else it holds. Of a store that
     * does not, nothing is known.
     */
    public boolean isDamage(TierException failure) {
        if (!DiskErrors.isOfMedium(failure)) {
            return false;
        }
        try {
            look();
            return true;
        } catch (IOException e) {
            failure.addSuppressed(e);
            return false;
        }
    }

    /** Reads something small, past the page cache where that is known to work. */
    private void look() throws IOException {
        Set<OpenOption> options = new HashSet<>(Set.of(StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS));
        if (directReads.proven()) {
            options.add(ExtendedOpenOption.DIRECT);
        }
        try (Arena arena = Arena.ofConfined();
                FileChannel channel = FileChannel.open(root.marker(), options)) {
            if (channel.read(arena.allocate(PAGE_BYTES, PAGE_BYTES).asByteBuffer(), 0) <= 0) {
                throw new EOFException(root.marker() + " is empty");
            }
        }
    }

    /**
     * Puts a chunk that is not what its name says out of reach, kept for whoever looks into it. It does not count as here from now on, also
     * where it cannot be moved.
     *
     * @throws TierException IO when it cannot be
     */
    public void quarantine(ChunkDigest digest) throws TierException {
        Path kept = root.quarantine().resolve(digest.hex());
        condemned.add(digest);
        root.files().move(fileOf(digest), kept);
        condemned.remove(digest);
        quarantined.increment();
        try {
            used.addBytes(-Files.size(kept));
        } catch (IOException e) {
            throw DiskErrors.typed("measure", kept, e);
        }
    }

    /** What became of those. */
    public Quarantine inQuarantine() {
        return quarantine;
    }

    /** How often a chunk was put in quarantine in this daemon's life. */
    public long quarantined() {
        return quarantined.sum();
    }

    @Override
    public Set<ChunkDigest> list() throws TierException {
        Set<ChunkDigest> digests = new HashSet<>();
        try {
            for (Path folder : Folders.list(root.chunks())) {
                for (Path file : Folders.list(folder)) {
                    digests.add(new ChunkDigest(file.getFileName().toString()));
                }
            }
        } catch (IOException e) {
            throw DiskErrors.typed("list", root.chunks(), e);
        } catch (IllegalArgumentException e) {
            throw new TierException(Reason.IO, "a stranger lies among the chunks: " + e.getMessage(), e);
        }
        return digests;
    }

    @Override
    public TierUsage usage() throws TierException {
        try {
            long capacity = fileStore().getTotalSpace();
            long usable = usableBytes();
            return new TierUsage(
                    kind(),
                    root.path().toString(),
                    capacity,
                    Math.max(0, usable - reserveBytes - promised.get()),
                    used.bytes(root.chunks()));
        } catch (IOException e) {
            throw DiskErrors.typed("measure", root.path(), e);
        }
    }

    private long usableBytes() throws TierException {
        try {
            return fileStore().getUsableSpace();
        } catch (IOException e) {
            throw DiskErrors.typed("measure", root.path(), e);
        }
    }

    /** Found once: looking for it reads the table of mounts, as expensive as writing a chunk. Asked for its space each time. */
    private FileStore fileStore() throws IOException {
        FileStore known = fileStore;
        if (known == null) {
            known = Files.getFileStore(root.path());
            fileStore = known;
        }
        return known;
    }

    private Path fileOf(ChunkDigest digest) {
        return root.chunks().resolve(digest.hex().substring(0, 2)).resolve(digest.hex());
    }

    @Override
    public void close() {
        root.close();
    }
}
