package io.gpusnap.service.snapshot;

import io.gpusnap.service.platform.id.StoreId;
import java.util.Optional;

/** What others count on about a snapshot's copies, besides that the last good one stays. Asked under the snapshot's lock. */
public interface CopyPromises {

    /** Who counts on the copy in this store and why, one sentence; empty when it may go. */
    Optional<String> whyNeeded(Snapshot snapshot, StoreId store);
}
