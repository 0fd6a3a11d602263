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

    /** Closing twice is harmless. */
    public interface Use extends AutoCloseable {
        @Override
        void close();
    }

    interface Deletion extends AutoCloseable {
        @Override
        void close();
    }

    synchronized Optional<Use> begin(SnapshotId snapshot) {
        int count = readers.getOrDefault(snapshot, 0);
        if (count == DELETING) {
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

    synchronized Optional<Deletion> delete(SnapshotId snapshot) {
        if (readers.containsKey(snapshot)) {
            return Optional.empty();
        }
        readers.put(snapshot, DELETING);
        return Optional.of(() -> forget(snapshot));
    }

    private synchronized void end(SnapshotId snapshot) {
        readers.compute(snapshot, (key, count) -> count == null || count <= 1 ? null : count - 1);
    }

    private synchronized void forget(SnapshotId snapshot) {
        readers.remove(snapshot);
    }
}
