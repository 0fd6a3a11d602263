package io.gpusnap.node.snapshot;

import io.gpusnap.node.store.SnapshotId;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

/** Who reads which snapshot: readers share it, a deletion has it alone. */
public final class SnapshotUses {

    private static final int DELETING = -1;

    private final Map<SnapshotId, Integer> readers = new HashMap<>();
    /** How many deletions wait for each. */
    private final Map<SnapshotId, Integer> wanted = new HashMap<>();

    /** Closing twice is harmless. */
    public interface Use extends AutoCloseable {
        @Override
        void close();
    }

    /** A deletion that waits: nobody begins to read meanwhile. Closing it is not deleting. */
    public interface Wish extends AutoCloseable {

        /** Whether the last reader has gone. */
        boolean isFree();

        @Override
        void close();
    }

    interface Deletion extends AutoCloseable {
        @Override
        void close();
    }

    synchronized Optional<Use> begin(SnapshotId snapshot) {
        int count = readers.getOrDefault(snapshot, 0);
        if (count == DELETING || wanted.containsKey(snapshot)) {
            return Optional.empty();
        }
        readers.put(snapshot, count + 1);
        AtomicBoolean open = new AtomicBoolean(true);
        return Optional.of(() -> {
            if (open.compareAndSet(true, false)) {
                end(snapshot);
            }
        });
    }

    synchronized Wish wish(SnapshotId snapshot) {
        wanted.merge(snapshot, 1, Integer::sum);
        AtomicBoolean open = new AtomicBoolean(true);
        return new Wish() {
            @Override
            public boolean isFree() {
                synchronized (SnapshotUses.this) {
                    return !readers.containsKey(snapshot);
                }
            }

            @Override
            public void close() {
                if (open.compareAndSet(true, false)) {
                    giveUp(snapshot);
                }
            }
        };
    }

    synchronized boolean isWanted(SnapshotId snapshot) {
        return wanted.containsKey(snapshot);
    }

    private synchronized void giveUp(SnapshotId snapshot) {
        countDown(wanted, snapshot);
    }

    synchronized Optional<Deletion> delete(SnapshotId snapshot) {
        if (readers.containsKey(snapshot)) {
            return Optional.empty();
        }
        readers.put(snapshot, DELETING);
        return Optional.of(() -> forget(snapshot));
    }

    private synchronized void end(SnapshotId snapshot) {
        countDown(readers, snapshot);
    }

    private static void countDown(Map<SnapshotId, Integer> counts, SnapshotId snapshot) {
        counts.compute(snapshot, (key, count) -> count == null || count <= 1 ? null : count - 1);
    }

    private synchronized void forget(SnapshotId snapshot) {
        readers.remove(snapshot);
    }
}
