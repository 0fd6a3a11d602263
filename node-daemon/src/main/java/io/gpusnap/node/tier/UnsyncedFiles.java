package io.gpusnap.node.tier;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Files that are written, past the page cache, and not durable yet. They are fsynced together: a journal is committed once for
 * all of them, where an fsync after each would have every writer wait for a commit of its own.
 */
final class UnsyncedFiles {

    /** Makes one file durable. */
    @FunctionalInterface
    interface Fsync {
        /** @throws NoSuchFileException when it is not there any more */
        void of(Path file) throws IOException;
    }

    /** So many wait at most, whoever forgets to sync. */
    static final int MOST = 4096;
    /** An fsync that finds the journal committed waits for the drive's cache only, and drives do several at a time. */
    private static final int THREADS = 8;

    private final Fsync fsync;
    private final Set<Path> files = ConcurrentHashMap.newKeySet();

    UnsyncedFiles() {
        this(UnsyncedFiles::force);
    }

    UnsyncedFiles(Fsync fsync) {
        this.fsync = fsync;
    }

    /** @throws IOException of a sync, when too many have come together */
    void add(Path file) throws IOException {
        files.add(file);
        if (files.size() >= MOST) {
            sync();
        }
    }

    /**
     * One at a time: when it returns, what was added before is durable or gone, also what another caller was at.
     *
     * @throws IOException of the first file that failed. It is asked for again next time: unlike an fsync of pages in memory,
     *     whose failure the kernel forgets, all of its content has been answered for by the drive
     */
    synchronized void sync() throws IOException {
        List<Path> taken = List.copyOf(files);
        if (taken.isEmpty()) {
            return;
        }
        List<Future<?>> done = new ArrayList<>();
        try (ExecutorService threads = Executors.newFixedThreadPool(Math.min(THREADS, taken.size()))) {
            for (Path file : taken) {
                done.add(threads.submit(() -> {
                    sync(file);
                    return null;
                }));
            }
        }
        for (Future<?> one : done) {
            require(one);
        }
    }

    private void sync(Path file) throws IOException {
        // Taken off first: who writes it anew while the fsync runs puts it on again.
        files.remove(file);
        try {
            fsync.of(file);
        } catch (NoSuchFileException e) {
            // deleted meanwhile, or put in quarantine
        } catch (IOException e) {
            files.add(file);
            throw e;
        }
    }

    private static void require(Future<?> done) throws IOException {
        try {
            done.get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof IOException failed) {
                throw failed;
            }
            throw new IOException(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while files were made durable", e);
        }
    }

    private static void force(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS)) {
            channel.force(false);
        }
    }
}
