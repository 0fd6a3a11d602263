package io.gpusnap.service.testing;

import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;

/**
 * A bucket that several {@link FakeDaemon}s see: objects by name. A snapshot is packed into one object of its own and shares
 * one with every other snapshot of the same base.
 */
public final class FakeSharedStore {
    public static final long PACK_BYTES = 4_194_304;

    private final UUID id = UUID.randomUUID();
    private final TreeMap<String, Long> objects = new TreeMap<>();
    private final Set<String> damaged = new TreeSet<>();
    private int names;

    public UUID id() {
        return id;
    }

    /** An object under a name that was never used before. */
    public synchronized String put(String prefix, long bytes) {
        String name = prefix + "-" + (++names);
        objects.put(name, bytes);
        return name;
    }

    public synchronized boolean has(String name) {
        return objects.containsKey(name);
    }

    public synchronized Map<String, Long> objects() {
        return new TreeMap<>(objects);
    }

    /** Returns the size of what was there. */
    public synchronized long delete(String name) {
        Long bytes = objects.remove(name);
        return bytes == null ? 0 : bytes;
    }

    /** From now on a scrub of the snapshot here finds it wrong. */
    public synchronized void damage(String snapshot) {
        damaged.add(snapshot);
    }

    /** Written anew. */
    public synchronized void mend(String snapshot) {
        damaged.remove(snapshot);
    }

    public synchronized boolean isDamaged(String snapshot) {
        return damaged.contains(snapshot);
    }
}
