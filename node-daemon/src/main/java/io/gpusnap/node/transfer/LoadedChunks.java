package io.gpusnap.node.transfer;

import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.tier.Lease;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** Verified chunks in pinned memory, held until closed. Others may use what is there while more is being added. Thread-safe. */
public final class LoadedChunks implements AutoCloseable {

    /** Who waits for chunks. */
    private static final class Waiter {

        private final Runnable then;
        private int missing;

        private Waiter(Runnable then) {
            this.then = then;
        }
    }

    private final Map<ChunkDigest, Lease> leases = new ConcurrentHashMap<>();
    private final Map<ChunkDigest, List<Waiter>> waiters = new HashMap<>();

    public void add(ChunkDigest digest, Lease lease) {
        put(digest, lease).forEach(Runnable::run);
    }

    /** Answers with what waited for this one, and for nothing else any more. */
    private synchronized List<Runnable> put(ChunkDigest digest, Lease lease) {
        Lease earlier = leases.put(digest, lease);
        if (earlier != null) {
            earlier.close();
        }
        List<Runnable> ready = new ArrayList<>();
        List<Waiter> waiting = waiters.remove(digest);
        if (waiting != null) {
            for (Waiter waiter : waiting) {
                waiter.missing--;
                if (waiter.missing == 0) {
                    ready.add(waiter.then);
                }
            }
        }
        return ready;
    }

    /**
     * Something happens, once, when all of these are here: at once, or in the thread that adds the last of them. It never happens
     * where one of them does not come.
     *
     * @param then short: who adds chunks waits for it
     */
    public void whenThere(Set<ChunkDigest> chunks, Runnable then) {
        if (!waits(chunks, new Waiter(then))) {
            then.run();
        }
    }

    private synchronized boolean waits(Set<ChunkDigest> chunks, Waiter waiter) {
        for (ChunkDigest digest : chunks) {
            if (!leases.containsKey(digest)) {
                waiters.computeIfAbsent(digest, key -> new ArrayList<>()).add(waiter);
                waiter.missing++;
            }
        }
        return waiter.missing > 0;
    }

    /** The chunk's bytes in the pool; empty for one that found no slot. */
    public Optional<MemorySegment> find(ChunkDigest digest) {
        return Optional.ofNullable(leases.get(digest)).map(Lease::content);
    }

    /** Nobody adds to it any more, nor uses what is in it. */
    @Override
    public synchronized void close() {
        waiters.clear();
        leases.values().forEach(Lease::close);
        leases.clear();
    }
}
