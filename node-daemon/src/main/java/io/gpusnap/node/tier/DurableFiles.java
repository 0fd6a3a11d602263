package io.gpusnap.node.tier;

import io.gpusnap.node.tier.TierException.Reason;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Files that are there whole or not at all: written under another name in {@code tmp}, renamed. Small ones are fsynced before;
 * large ones, which go past the page cache, together by {@link #sync}, as are the folders whose names changed. A partial file
 * never gets its final name, and a failure removes it. Only the machine's sudden end before a sync may leave a large file that
 * is not what was written: whoever trusts one reads it from the medium after a sync.
 */
public final class DurableFiles {

    private final Path tmp;
    private final DiskCalls disk;
    private final UnsyncedFiles unsynced = new UnsyncedFiles();
    private final Set<Path> dirtyFolders = ConcurrentHashMap.newKeySet();
    private final AtomicLong serial = new AtomicLong();

    DurableFiles(Path tmp, DiskCalls disk) {
        this.tmp = tmp;
        this.disk = disk;
    }

    /** @throws TierException NO_SPACE, IO */
    public void write(Path target, MemorySegment content) throws TierException {
        Path temporary = tmp.resolve(target.getFileName() + "." + serial.incrementAndGet());
        try {
            boolean large = disk.writeNew(temporary, content);
            ensureFolder(folderOf(target));
            disk.rename(temporary, target);
            dirtyFolders.add(folderOf(target));
            if (large) {
                unsynced.add(target);
            }
        } catch (IOException e) {
            remove(temporary, e);
            throw DiskErrors.typed("write", target, e);
        }
    }

    /**
     * All of a small file.
     *
     * @throws TierException MISSING also for what is no regular file; IO
     */
    public byte[] read(Path file) throws TierException {
        try {
            return disk.read(file);
        } catch (NoSuchFileException e) {
            throw new TierException(Reason.MISSING, file + " is not there", e);
        } catch (IOException e) {
            throw DiskErrors.typed("read", file, e);
        }
    }

    /** @throws TierException IO */
    public void move(Path from, Path to) throws TierException {
        try {
            disk.rename(from, to);
            dirtyFolders.add(folderOf(from));
            dirtyFolders.add(folderOf(to));
        } catch (IOException e) {
            throw DiskErrors.typed("move", from, e);
        }
    }

    /** @throws TierException IO */
    public void delete(Path file) throws TierException {
        try {
            if (Files.deleteIfExists(file)) {
                dirtyFolders.add(folderOf(file));
            }
        } catch (IOException e) {
            throw DiskErrors.typed("delete", file, e);
        }
    }

    /**
     * The file and its name are durable after the next {@link #sync}, whoever wrote it.
     *
     * @throws TierException IO
     */
    public void renew(Path file) throws TierException {
        dirtyFolders.add(folderOf(file));
        try {
            unsynced.add(file);
        } catch (IOException e) {
            throw DiskErrors.typed("fsync", file, e);
        }
    }

    /**
     * One at a time: when it returns, what was dirty before is durable, also what another caller was at.
     *
     * @throws TierException IO
     */
    public synchronized void sync() throws TierException {
        try {
            unsynced.sync();
        } catch (IOException e) {
            throw DiskErrors.typed("fsync files below", folderOf(tmp), e);
        }
        for (Path folder : Set.copyOf(dirtyFolders)) {
            // Taken off first: a rename that comes while the fsync runs puts it on again.
            dirtyFolders.remove(folder);
            try {
                syncFolder(folder);
            } catch (IOException e) {
                dirtyFolders.add(folder);
                throw DiskErrors.typed("fsync", folder, e);
            }
        }
    }

    private void ensureFolder(Path folder) throws IOException {
        if (!Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)) {
            Files.createDirectories(folder);
            if (Files.isSymbolicLink(folder)) {
                throw new IOException(folder + " is a symbolic link");
            }
            dirtyFolders.add(folderOf(folder));
        }
    }

    private static void syncFolder(Path folder) throws IOException {
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    private static void remove(Path temporary, IOException cause) {
        try {
            Files.deleteIfExists(temporary);
        } catch (IOException e) {
            cause.addSuppressed(e);
        }
    }

    private static Path folderOf(Path file) {
        Path parent = file.getParent();
        if (parent == null) {
            throw new IllegalArgumentException("no folder above " + file);
        }
        return parent;
    }
}
