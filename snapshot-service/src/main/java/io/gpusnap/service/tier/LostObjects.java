package io.gpusnap.service.tier;

import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.id.StoreId;

/** The feature that keeps copies hears of those that lack an object. Called in the transaction that ends the sweep. */
public interface LostObjects {
    void lacking(StoreId store, SnapshotId snapshot);
}
