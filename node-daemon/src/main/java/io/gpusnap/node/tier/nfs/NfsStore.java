package io.gpusnap.node.tier.nfs;

import io.gpusnap.node.tier.DiskErrors;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import io.gpusnap.node.tier.TierKind;
import io.gpusnap.node.tier.TierUsage;
import io.gpusnap.node.tier.blob.BlobInfo;
import io.gpusnap.node.tier.blob.BlobKey;
import io.gpusnap.node.tier.blob.BlobStore;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.function.Predicate;

/**
 * Objects as files of a directory that nodes share by NFS. An object is written under {@code tmp/}, fsynced, closed, and then
 * linked or renamed to its name, and the folder fsynced. Of a file whose fsync failed nothing is known any more, so it is thrown
 * away, never fsynced again; and whatever is not synced, the mount is not used until it answers again. A stale handle is opened once
 * more, by name, but for calls that are not the same when done twice: the server may have done them, and only its answer been
 * lost. Such a put has failed, whatever is there; the next one of the same content finds it, and syncs its folder.
 */
public final class NfsStore implements BlobStore {

    private static final String STALE = "Stale file handle";
    private static final int MOST_READ_BYTES = 8 << 20;

    private final Path root;
    private final ShareFiles files;
    private final CallGuard guard;
    private final ShareListing listing;

    public NfsStore(NfsSettings settings) {
        this(settings, new MountedFiles());
    }

    NfsStore(NfsSettings settings, ShareFiles files) {
        this.root = settings.root();
        this.files = files;
        this.guard = new CallGuard(settings);
        this.listing = new ShareListing(root, this::listed);
    }

    @Override
    public TierKind kind() {
        return TierKind.NFS;
    }

    @Override
    public String location() {
        return root.toString();
    }

    @Override
    public boolean put(BlobKey key, MemorySegment content, IfThere ifThere) throws TierException {
        requireRoot();
        Path target = root.resolve(key.path());
        Path temporary = root.resolve("tmp").resolve(UUID.randomUUID().toString());
        try {
            folder(folderOf(temporary));
            folder(folderOf(target));
        } catch (IOException e) {
            throw typed("make a folder for", target, e);
        }
        try {
            write(temporary, content);
            boolean published = publish(temporary, target, ifThere);
            sync(folderOf(target));
            return published;
        } catch (IOException e) {
            remove(temporary, e); // before the mount is in trouble: then nothing is asked of it
            throw lost("write", target, e);
        } catch (TierException e) {
            remove(temporary, e);
            throw e;
        }
    }

    private void write(Path temporary, MemorySegment content) throws IOException, TierException {
        guard.call("write " + content.byteSize() + " bytes", () -> {
            files.writeNew(temporary, content);
            return true;
        });
    }

    /** A server that loses what it was given loses more than this. */
    private TierException lost(String doing, Path file, IOException e) {
        TierException typed = typed(doing, file, e);
        return typed.reason() == Reason.IO ? guard.troubled("a write to it failed: " + e.getMessage()) : typed;
    }

    /** Another writer may count on the name by now, so what cannot be made sure stays: a sweep takes it if nobody does. */
    private void sync(Path folder) throws IOException, TierException {
        guarded("sync a folder", () -> {
            files.syncFolder(folder);
            return true;
        });
    }

    private boolean publish(Path temporary, Path target, IfThere ifThere) throws IOException, TierException {
        if (ifThere == IfThere.REPLACE) {
            guard.call("rename a file", () -> {
                files.rename(temporary, target);
                return true;
            });
            return true;
        }
        boolean first = guard.call("link a file", () -> link(temporary, target));
        guarded("delete a file", () -> files.delete(temporary));
        return first;
    }

    private boolean link(Path temporary, Path target) throws IOException {
        try {
            files.link(temporary, target);
            return true;
        } catch (FileAlreadyExistsException e) {
            return false;
        }
    }

    /** The mount may be gone, and its empty mount point there: then nothing must be written. */
    private void requireRoot() throws TierException {
        try {
            if (!guarded("look at its root", () -> files.attributes(root)).isDirectory()) {
                throw new TierException(Reason.IO, root + " is no directory (nfs.root)");
            }
        } catch (IOException e) {
            throw typed("look at", root, e);
        }
    }

    private void folder(Path folder) throws IOException, TierException {
        guarded("make a folder", () -> {
            files.createFolder(folder);
            return true;
        });
    }

    private static Path folderOf(Path file) {
        return Objects.requireNonNull(file.getParent(), "a file of the store is in a folder");
    }

    private void remove(Path temporary, Exception cause) {
        try {
            guarded("delete a file", () -> files.delete(temporary));
        } catch (IOException | TierException e) {
            cause.addSuppressed(e); // removeUnfinished finds it
        }
    }

    @Override
    public Optional<BlobInfo> find(BlobKey key) throws TierException {
        Path file = root.resolve(key.path());
        try {
            return info(key, guarded("look at a file", () -> files.attributes(file)));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (IOException e) {
            throw typed("look up", file, e);
        }
    }

    private static Optional<BlobInfo> info(BlobKey key, BasicFileAttributes attributes) {
        return attributes.isRegularFile()
                ? Optional.of(new BlobInfo(
                        key, attributes.size(), attributes.lastModifiedTime().toInstant()))
                : Optional.empty();
    }

    @Override
    public void read(BlobKey key, long wholeBytes, long offset, MemorySegment target) throws TierException {
        read(key, wholeBytes, offset, target, false);
    }

    @Override
    public void readBack(BlobKey key, long wholeBytes, long offset, MemorySegment target) throws TierException {
        read(key, wholeBytes, offset, target, true);
    }

    private void read(BlobKey key, long wholeBytes, long offset, MemorySegment target, boolean direct)
            throws TierException {
        Path file = root.resolve(key.path());
        try {
            if (!guarded("look at a file", () -> files.attributes(file)).isRegularFile()) {
                throw new TierException(Reason.CORRUPT, file + " is no regular file");
            }
            for (long done = 0; done < target.byteSize(); done += MOST_READ_BYTES) {
                long from = done;
                int length = (int) Math.min(MOST_READ_BYTES, target.byteSize() - done);
                // Memory of its own: a call that was given up may still write some day.
                MemorySegment own = MemorySegment.ofArray(new byte[length]);
                long found = guarded(
                        "read " + length + " bytes", () -> files.read(file, wholeBytes, offset + from, own, direct));
                if (found != wholeBytes) {
                    throw new TierException(
                            Reason.CORRUPT, "%s has %d bytes, not %d".formatted(file, found, wholeBytes));
                }
                target.asSlice(from, length).copyFrom(own);
            }
        } catch (NoSuchFileException e) {
            throw new TierException(Reason.MISSING, file + " is not there", e);
        } catch (IOException e) {
            throw typed("read", file, e);
        }
    }

    @Override
    public List<BlobInfo> list(BlobKey.Folder folder, String nameStart) throws TierException {
        return found(folder, "", key -> key.name().startsWith(nameStart), Integer.MAX_VALUE);
    }

    @Override
    public List<BlobInfo> listAfter(BlobKey.Folder folder, String after, int most) throws TierException {
        return found(folder, after, key -> true, most);
    }

    private List<BlobInfo> found(BlobKey.Folder folder, String after, Predicate<BlobKey> wanted, int most)
            throws TierException {
        List<BlobInfo> found = new ArrayList<>();
        for (Path group : listing.groups(folder, after)) {
            if (found.size() >= most) {
                break;
            }
            for (BlobKey key : listing.keys(group)) {
                if (key.path().compareTo(after) > 0 && wanted.test(key) && found.size() < most) {
                    find(key).ifPresent(found::add);
                }
            }
        }
        return found;
    }

    /** No file is looked at: one call for a folder instead of one for each object. */
    @Override
    public List<BlobKey> names(BlobKey.Folder folder) throws TierException {
        List<BlobKey> names = new ArrayList<>();
        for (Path group : listing.groups(folder, "")) {
            names.addAll(listing.keys(group));
        }
        return names;
    }

    private List<Path> listed(Path folder) throws TierException {
        try {
            if (!guarded("look at a folder", () -> files.attributes(folder)).isDirectory()) {
                return List.of();
            }
            return guarded("list a folder", () -> files.list(folder));
        } catch (NoSuchFileException e) {
            return List.of();
        } catch (IOException e) {
            throw typed("list", folder, e);
        }
    }

    @Override
    public boolean delete(BlobKey key) throws TierException {
        Path file = root.resolve(key.path());
        try {
            return guarded("delete a file", () -> files.delete(file));
        } catch (IOException e) {
            throw typed("delete", file, e);
        }
    }

    @Override
    public int removeUnfinished(Duration olderThan) throws TierException {
        Path clock = root.resolve("tmp").resolve(UUID.randomUUID().toString());
        int removed = 0;
        try {
            folder(folderOf(clock));
            write(clock, MemorySegment.ofArray(new byte[] {1}));
            Instant now = modified(clock);
            for (Path file : listed(root.resolve("tmp"))) {
                if (file.equals(clock) || !modified(file).isAfter(now.minus(olderThan))) {
                    boolean deleted = guarded("delete a file", () -> files.delete(file));
                    removed += deleted && !file.equals(clock) ? 1 : 0;
                }
            }
            return removed;
        } catch (IOException e) {
            throw lost("clean up", clock, e);
        }
    }

    private Instant modified(Path file) throws IOException, TierException {
        try {
            return guarded("look at a file", () -> files.attributes(file))
                    .lastModifiedTime()
                    .toInstant();
        } catch (NoSuchFileException e) {
            return Instant.MAX; // its writer has renamed it
        }
    }

    @Override
    public TierUsage usage() throws TierException {
        try {
            long[] space = guarded("measure", () -> files.space(root));
            return new TierUsage(kind(), location(), space[0], Math.min(space[0], space[1]), 0);
        } catch (IOException e) {
            throw typed("measure", root, e);
        }
    }

    @Override
    public Optional<String> trouble() {
        return guard.trouble();
    }

    @Override
    public void close() {}

    private <T> T guarded(String doing, Callable<T> call) throws IOException, TierException {
        try {
            return guard.call(doing, call);
        } catch (IOException e) {
            if (!isStale(e)) {
                throw e;
            }
            return guard.call(doing, call);
        }
    }

    private TierException typed(String doing, Path file, IOException e) {
        return isStale(e) ? guard.troubled("stale file handle of " + file) : DiskErrors.typed(doing, file, e);
    }

    private static boolean isStale(IOException e) {
        return String.valueOf(e.getMessage()).contains(STALE)
                || String.valueOf(e.getMessage()).contains("ESTALE");
    }
}
