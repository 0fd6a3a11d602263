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
 * @param closed whether its store answers, and no node for which it does can open it and trusts who signed it
 * @param unread why the last scrub could not read it; null when it could, or there was none
 * @param verifiedAt last time that all of it was read and found right; null when that was only as it was made
 * @param storedBytes what its chunks take in the store, by who made it or read it last; null where nobody has said
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
        boolean closed,
        TierResult.@Nullable Unread unread,
        @Nullable Instant verifiedAt,
        @Nullable Long storedBytes) {

    /** Whether nothing is known to be wrong with it, and it is not only in memory, which a restart of the node loses. */
    boolean good() {
        return state == LocationState.PRESENT && kind != Inventory.TierKind.MEMORY;
    }

    /** Why nobody can read it, as far as is known; empty too for one that is not whole. */
    public Optional<Unreadable> unreadable() {
        if (!good()) {
            return Optional.empty();
        }
        Unreadable byNodes = closed ? Unreadable.NO_READER : null;
        return Optional.ofNullable(
                switch (unread) {
                    case NO_KEY -> Unreadable.NO_KEY;
                    case UNTRUSTED_SIGNER -> Unreadable.UNTRUSTED_SIGNER;
                    case NO_ANSWER -> Unreadable.NO_ANSWER;
                    case IN_USE -> byNodes;
                    case null -> byNodes;
                });
    }

    /** Whether the snapshot can be had from it now: what does not answer, or nobody can read, is no reason to let another copy go. */
    public boolean durable() {
        return good() && silentSince == null && unreadable().isEmpty();
    }
}
