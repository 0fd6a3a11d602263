package io.gpusnap.service.tier;

import io.gpusnap.service.platform.id.SnapshotId;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;

/** What {@link ObjectLedger} keeps of one store. Its caller has the store's lock; time is the table's own. */
interface ObjectTable {

    /** States of those of these names that are known. */
    Map<String, ObjectState> states(Collection<String> names);

    /** Adds objects that are not known yet. */
    void add(Map<String, Long> sizes, ObjectState state);

    /** Moves objects to another state, from now on. */
    void move(Collection<String> names, ObjectState to);

    void refer(SnapshotId snapshot, Collection<String> names);

    void unrefer(SnapshotId snapshot);

    /** USED ones that no snapshot refers to: those of snapshots first, then indexes, then packs. */
    List<String> unreferred(int limit);

    /** CONDEMNED ones of at least that age, and of before, the oldest first; not a pack whose index is USED or CONDEMNED. */
    List<String> ripe(Duration atLeast, Instant before, int limit);

    /** DELETED ones of before, the oldest first. */
    List<String> deletedBefore(Instant before, int limit);

    /** Those in the state, the oldest first, and of the same age by name: so an index comes before its pack. */
    List<String> in(ObjectState state, int limit);

    /** Forgets objects altogether. */
    void forget(Collection<String> names);

    /** When the oldest transfer into the store that still runs was first claimed; now if there is none. */
    Instant oldestTransfer();
}
