package io.gpusnap.node.tier;

import io.gpusnap.node.file.Folders;
import io.gpusnap.node.tier.TierException.Reason;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.UUID;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The folder of a node's store, held by one daemon at a time:
 *
 * <pre>
 * VERSION      format of the store
 * STORE_ID     a UUID, written once
 * LOCK         held while a daemon lives
 * chunks/      {@code <2 hex>/<64 hex>}
 * manifests/   {@code <snapshotId>.json}: committed snapshots
 * pending/     {@code <snapshotId>.json}: saves that are not committed yet
 * deleted/     {@code <snapshotId>.json}: no snapshots any more; chunks of theirs may be left
 * keys/        data keys, wrapped, where chunks are encrypted
 * quarantine/  chunks that were not what their names said
 * tmp/         files being written; emptied at open
 * </pre>
 */
public final class StoreRoot implements AutoCloseable {

    /** Of a store in which chunks may be compressed: daemons from before that take them for damaged. */
    static final int COMPRESSED = 2;

    private static final int NEWEST = COMPRESSED;

    private final Path path;
    private final DurableFiles files;
    private final FileChannel lockChannel;
    private volatile int version;

    private StoreRoot(Path path, FileChannel lockChannel, DiskCalls disk) {
        this.path = path;
        this.lockChannel = lockChannel;
        this.files = new DurableFiles(path.resolve("tmp"), disk);
    }

    /** @throws TierException IO when another daemon holds it, its version is unknown, or a part of it is a symbolic link */
    public static StoreRoot open(Path path) throws TierException {
        return open(path, new LocalDisk());
    }

    static StoreRoot open(Path path, DiskCalls disk) throws TierException {
        FileChannel lockChannel = null;
        try {
            Files.createDirectories(path);
            lockChannel = FileChannel.open(
                    path.resolve("LOCK"),
                    StandardOpenOption.CREATE,
                    StandardOpenOption.WRITE,
                    LinkOption.NOFOLLOW_LINKS);
            if (lock(lockChannel) == null) {
                throw new TierException(Reason.IO, "another daemon holds " + path + " (nvme.root)");
            }
            for (String folder : List.of("chunks", "manifests", "pending", "deleted", "keys", "quarantine", "tmp")) {
                Files.createDirectories(path.resolve(folder));
                if (Files.isSymbolicLink(path.resolve(folder))) {
                    throw new TierException(Reason.IO, path.resolve(folder) + " is a symbolic link");
                }
            }
            StoreRoot root = new StoreRoot(path, lockChannel, disk);
            root.emptyTmp();
            root.checkVersion();
            return root;
        } catch (IOException e) {
            closeQuietly(lockChannel, e);
            throw DiskErrors.typed("open", path, e);
        } catch (TierException e) {
            closeQuietly(lockChannel, e);
            throw e;
        }
    }

    /** A folder for what need not last: emptied whenever the store is opened. */
    public Path temporary() {
        return path.resolve("tmp");
    }

    private static @Nullable FileLock lock(FileChannel channel) throws IOException {
        try {
            return channel.tryLock();
        } catch (OverlappingFileLockException e) {
            return null;
        }
    }

    private void checkVersion() throws IOException, TierException {
        Path file = marker();
        if (!Files.exists(file)) {
            mark(1);
            return;
        }
        String found = Files.readString(file, StandardCharsets.US_ASCII);
        version = IntStream.rangeClosed(1, NEWEST)
                .filter(known -> line(known).equals(found))
                .findFirst()
                .orElseThrow(
                        () -> new TierException(Reason.IO, file + " names a format that this version does not know"));
    }

    private static String line(int version) {
        return "gpusnap-store " + version + "\n";
    }

    private void mark(int wanted) throws TierException {
        files.write(marker(), MemorySegment.ofArray(line(wanted).getBytes(StandardCharsets.US_ASCII)));
        files.sync();
        version = wanted;
    }

    /** To be called before something is written that daemons who know older versions only would take for damage. */
    void requireVersion(int wanted) throws TierException {
        if (version >= wanted) {
            return;
        }
        synchronized (this) {
            if (version < wanted) {
                mark(wanted);
            }
        }
    }

    /** A small file that every store has. */
    Path marker() {
        return path.resolve("VERSION");
    }

    /** Given when it is first asked for. */
    synchronized UUID storeId() throws TierException {
        Path file = path.resolve("STORE_ID");
        try {
            if (!Files.exists(file)) {
                files.write(
                        file, MemorySegment.ofArray((UUID.randomUUID() + "\n").getBytes(StandardCharsets.US_ASCII)));
                files.sync();
            }
            return UUID.fromString(
                    Files.readString(file, StandardCharsets.US_ASCII).strip());
        } catch (IOException e) {
            throw DiskErrors.typed("read", file, e);
        } catch (IllegalArgumentException e) {
            throw new TierException(Reason.IO, file + " holds no UUID", e);
        }
    }

    private void emptyTmp() throws IOException {
        for (Path leftOver : Folders.list(path.resolve("tmp"))) {
            Files.delete(leftOver);
        }
    }

    private static void closeQuietly(@Nullable FileChannel channel, Exception cause) {
        try {
            if (channel != null) {
                channel.close();
            }
        } catch (IOException e) {
            cause.addSuppressed(e);
        }
    }

    public Path path() {
        return path;
    }

    public Path chunks() {
        return path.resolve("chunks");
    }

    public Path manifests() {
        return path.resolve("manifests");
    }

    public Path pending() {
        return path.resolve("pending");
    }

    public Path deleted() {
        return path.resolve("deleted");
    }

    public Path keys() {
        return path.resolve("keys");
    }

    public Path quarantine() {
        return path.resolve("quarantine");
    }

    public DurableFiles files() {
        return files;
    }

    @Override
    public void close() {
        try {
            lockChannel.close();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException("cannot let go of " + path, e);
        }
    }
}
