package io.gpusnap.service.snapshot;

import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.operation.TierResult;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.id.StoreId;
import java.time.Instant;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A copy of a snapshot in a store.
 *
 * @param node whose own the store is; empty for a shared one
 * @param lost whether that node is: then it is not known whether the copy will ever be seen again
 * @param silentSince since when no node that is heard finds the store fit for use; null while one does
 * @param reason why it was copied, or is removed
 * @param damage what was found wrong with it
 * @param since in this state
 * @param unread why the last scrub could not read it; null when it could, or there was none
 * @param verifiedAt last time that all of it was read and found right; null when that was only as it was made
 */
public record Location(
        SnapshotId snapshotId,
        StoreId storeId,
        Inventory.TierKind kind,
        Optional<NodeId> node,
        boolean lost,
        @Nullable Instant silentSince,
        LocationState state,
        @Nullable String reason,
        @Nullable String damage,
        Instant since,
        TierResult.@Nullable Unread unread,
        @Nullable Instant verifiedAt) {

    /** Whether nothing is known to be wrong with it, and it is not only in memory, which a restart of the node loses. */
    boolean good() {
        return state == LocationState.PRESENT && kind != Inventory.TierKind.MEMORY;
    }

    /** Whether the snapshot can be had from it now: what does not answer is no reason to let another copy go. */
    public boolean durable() {
        return good() && silentSince == null;
    }
}
