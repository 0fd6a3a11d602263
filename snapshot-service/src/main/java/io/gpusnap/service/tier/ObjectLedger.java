package io.gpusnap.service.tier;

import static java.util.stream.Collectors.toMap;

import io.gpusnap.service.platform.id.SnapshotId;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Decides which objects of a shared store are garbage. The rules, and why nothing that a copy needs is ever deleted:
 *
 * <ol>
 *   <li>An object that no copy refers to is CONDEMNED. A reference that comes then makes it USED again.
 *   <li>What was CONDEMNED for the whole grace, and not while a transfer runs that began before, becomes DELETING. From
 *       then on no reference to it is taken: the transfer that brings one fails, and the next one copies the bytes.
 *   <li>A pack becomes DELETING after its index, or with it, also with one that no listing has found yet. So every sweep that is
 *       given a pack is given its index too, and deletes that first, unless another one has confirmed that it did: no sweep leaves an
 *       index that says where chunks lie, and are not.
 *   <li>Only DELETING objects are given to a sweep. Their names are never used again, so it does not matter how late or how
 *       often a sweep deletes them.
 *   <li>A DELETED one is remembered until every transfer has ended that may have looked at the store while it was there.
 * </ol>
 *
 * Each method runs under the store's lock, so they come one after another.
 */
final class ObjectLedger {
    private final ObjectTable table;

    ObjectLedger(ObjectTable table) {
        this.table = table;
    }

    /**
     * A copy is about to count: from now on it needs these objects, and only these.
     *
     * @return false if one of them is past saving; nothing changed then
     */
    boolean reference(SnapshotId snapshot, Map<String, Long> sizes) {
        Map<String, ObjectState> known = table.states(sizes.keySet());
        if (known.values().stream().anyMatch(state -> state == ObjectState.DELETING || state == ObjectState.DELETED)) {
            return false;
        }
        Map<String, Long> unknown = new HashMap<>(sizes);
        unknown.keySet().removeAll(known.keySet());
        table.add(unknown, ObjectState.USED);
        table.move(
                known.entrySet().stream()
                        .filter(one -> one.getValue() == ObjectState.CONDEMNED)
                        .map(Map.Entry::getKey)
                        .toList(),
                ObjectState.USED);
        table.unrefer(snapshot);
        table.refer(snapshot, sizes.keySet());
        return true;
    }

    /** The copy counts no more. */
    void release(SnapshotId snapshot) {
        table.unrefer(snapshot);
    }

    /**
     * What a sweep listed. Objects that are not known are of a transfer that still runs, or died: they are condemned, and
     * saved if the transfer ends well.
     */
    void listed(Map<String, Long> sizes) {
        Map<String, Long> unknown = new HashMap<>(sizes);
        unknown.keySet().removeAll(table.states(sizes.keySet()).keySet());
        table.add(unknown, ObjectState.CONDEMNED);
    }

    /** Condemns what nobody refers to. */
    int condemn(int limit) {
        List<String> garbage = table.unreferred(limit);
        table.move(garbage, ObjectState.CONDEMNED);
        return garbage.size();
    }

    /** What a sweep is to delete now: what was not confirmed as deleted before, and what has been condemned long enough. */
    List<String> doomed(Duration grace, int limit) {
        int ripe = doom(grace, limit);
        doom(grace, limit - ripe); // packs whose indexes have just gone
        return table.in(ObjectState.DELETING, limit);
    }

    private int doom(Duration grace, int limit) {
        List<String> ripe = table.ripe(grace, table.oldestTransfer(), limit);
        table.move(ripe, ObjectState.DELETING);
        List<String> indexes =
                ripe.stream().map(PackNames::index).flatMap(Optional::stream).toList();
        Set<String> known = table.states(indexes).keySet();
        table.add(
                indexes.stream().filter(index -> !known.contains(index)).collect(toMap(index -> index, index -> 0L)),
                ObjectState.DELETING);
        return ripe.size();
    }

    /** A sweep deleted them. */
    void deleted(Collection<String> names) {
        Map<String, ObjectState> known = table.states(names);
        table.move(
                known.entrySet().stream()
                        .filter(one -> one.getValue() == ObjectState.DELETING)
                        .map(Map.Entry::getKey)
                        .toList(),
                ObjectState.DELETED);
    }

    /** Drops what is remembered of deleted objects once nobody can believe any more that they are there. */
    int forget(int limit) {
        List<String> old = table.deletedBefore(table.oldestTransfer(), limit);
        table.forget(old);
        return old.size();
    }
}
