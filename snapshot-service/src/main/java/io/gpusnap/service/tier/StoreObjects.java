package io.gpusnap.service.tier;

import io.gpusnap.service.operation.TierResult;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.id.StoreId;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;

/** Which objects of shared stores the copies of snapshots need. */
@Component
@Transactional(propagation = Propagation.MANDATORY)
public class StoreObjects {
    private final JdbcClient jdbc;

    StoreObjects(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    /**
     * A copy is about to count, and needs these.
     *
     * @return false if one of them is being deleted: the copy must not count
     */
    public boolean reference(StoreId store, SnapshotId snapshot, Collection<TierResult.StoredObject> objects) {
        return ledger(store).reference(snapshot, sizes(objects));
    }

    /** The snapshot's copy in the store counts no more. */
    public void release(SnapshotId snapshot, StoreId store) {
        ledger(store).release(snapshot);
    }

    /** None of the snapshot's copies counts any more. */
    public void release(SnapshotId snapshot) {
        List<StoreId> stores = jdbc.sql(
                        "SELECT DISTINCT store_id FROM store_reference WHERE snapshot_id = ? ORDER BY store_id")
                .param(snapshot.value())
                .query((row, number) -> new StoreId(row.getObject(1, UUID.class)))
                .list();
        stores.forEach(store -> release(snapshot, store));
    }

    /**
     * Snapshots whose copy needs an object that a listing did not have. Takes no lock.
     *
     * @param range that the listing covers
     * @param begun when the listing began; what came later may be missing in it
     */
    Set<SnapshotId> lacking(StoreId store, Collection<String> listed, NameRange range, Instant begun) {
        return ObjectRepository.unlocked(jdbc, store).missing(listed, range, begun);
    }

    ObjectLedger ledger(StoreId store) {
        return new ObjectLedger(ObjectRepository.locked(jdbc, store));
    }

    static Map<String, Long> sizes(Collection<TierResult.StoredObject> objects) {
        return objects.stream()
                .collect(Collectors.toMap(
                        TierResult.StoredObject::name, TierResult.StoredObject::sizeBytes, (first, again) -> first));
    }
}
