package io.gpusnap.service.snapshot;

import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.operation.Failure;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.id.StoreId;
import io.gpusnap.service.platform.problem.ErrorCode;
import io.gpusnap.service.platform.transaction.DatabaseClock;
import io.gpusnap.service.tier.Store;
import io.gpusnap.service.tier.StoreObjects;
import io.gpusnap.service.tier.Stores;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;

/** Where snapshots are, and what follows when a copy is found wrong. */
@Service
public class Copies {
    private static final Logger LOG = LoggerFactory.getLogger(Copies.class);

    private final LocationStore locations;
    private final CopyRoom room;
    private final SnapshotRepository snapshots;
    private final Stores stores;
    private final StoreObjects objects;
    private final ChunkAccounts chunks;
    private final CopyMetrics metrics;
    private final DatabaseClock clock;

    Copies(
            LocationStore locations,
            CopyRoom room,
            SnapshotRepository snapshots,
            Stores stores,
            StoreObjects objects,
            ChunkAccounts chunks,
            CopyMetrics metrics,
            DatabaseClock clock) {
        this.locations = locations;
        this.room = room;
        this.snapshots = snapshots;
        this.stores = stores;
        this.objects = objects;
        this.chunks = chunks;
        this.metrics = metrics;
        this.clock = clock;
    }

    /** Copies in any state, the most recently confirmed first. */
    @Transactional(readOnly = true)
    public List<Location> of(SnapshotId snapshot) {
        return locations.of(snapshot);
    }

    /** Copies of several snapshots, by snapshot; one without copies is missing. */
    @Transactional(readOnly = true)
    public Map<SnapshotId, List<Location>> of(Collection<SnapshotId> ids) {
        return locations.of(ids).stream().collect(Collectors.groupingBy(Location::snapshotId));
    }

    /** Of copies in shared stores the nodes that see the store and cannot open what is in it; a copy without any is not in it. */
    @Transactional(readOnly = true)
    public Map<SnapshotId, Map<StoreId, Set<NodeId>>> strangers() {
        return locations.strangers();
    }

    /**
     * What the copies that came last take of their bytes as they were saved, by store: below 1 where chunks are compressed, and never next to
     * nothing. A store of whose copies nobody has said is not in it.
     */
    @Transactional(readOnly = true)
    public Map<StoreId, Double> storedShares() {
        return room.storedShares();
    }

    /**
     * Snapshots of which a copy found no room lately, by store, with the time until which that counts: they may be of those that do not become
     * smaller there, so a copy needs as many bytes as were saved.
     */
    @Transactional(readOnly = true)
    public Map<StoreId, Map<SnapshotId, Instant>> wholeUntil() {
        return room.wholeUntil();
    }

    /** What of its chunks other snapshots have too; empty before it is READY and after it was deleted. */
    public Optional<LayerSizes> sizes(SnapshotId snapshot) {
        return chunks.of(snapshot);
    }

    /**
     * The node's own store has it: it was saved there just now.
     *
     * @param storedBytes what it takes there; null where the node did not say
     */
    void saved(SnapshotId snapshot, NodeId node, @Nullable Long storedBytes) {
        locations.putPresent(snapshot, stores.own(node, Inventory.TierKind.NVME), node, storedBytes);
    }

    /**
     * A copy was found wrong. It is not read again; the snapshot stays READY exactly as long as it has another durable copy,
     * from which this one can be made anew.
     */
    @Transactional(propagation = Propagation.MANDATORY)
    public void damaged(SnapshotId id, StoreId store, String why) {
        Snapshot snapshot = snapshots.lock(id.value()).orElse(null);
        if (snapshot == null || !locations.corrupt(id, store, why)) {
            return;
        }
        metrics.corrupt(stores.get(store).kind());
        LOG.warn("snapshot {} is corrupt in store {}: {}", id, store, why);
        quarantineWithoutCopy(snapshot, Failure.of(ErrorCode.CHUNK_CORRUPT, why, null, false));
    }

    /** What an operation on this node found of the snapshot in the node's own store, where it did not say of which copy. */
    @Transactional(propagation = Propagation.MANDATORY)
    public void damagedOn(NodeId node, SnapshotId id, Failure why) {
        damaged(id, Store.ownOf(node, Inventory.TierKind.NVME), why.detail());
        snapshots.lock(id.value()).ifPresent(snapshot -> quarantineWithoutCopy(snapshot, why));
    }

    /** Every copy is forgotten, and with it what it needed of shared stores. */
    void forget(SnapshotId snapshot) {
        locations.removeAll(snapshot);
        objects.release(snapshot);
    }

    private void quarantineWithoutCopy(Snapshot snapshot, Failure why) {
        if (snapshot.state() == SnapshotState.READY
                && locations.of(snapshot.id()).stream().noneMatch(Location::good)) {
            snapshot.quarantine(why, clock.now());
            snapshots.saveAndFlush(snapshot);
        }
    }
}
