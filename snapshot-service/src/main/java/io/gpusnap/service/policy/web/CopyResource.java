package io.gpusnap.service.policy.web;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.StoreId;
import io.gpusnap.service.snapshot.Location;
import io.gpusnap.service.snapshot.LocationState;
import io.gpusnap.service.snapshot.Snapshot;
import io.gpusnap.service.snapshot.Unreadable;
import io.gpusnap.service.tier.Store;
import io.swagger.v3.oas.annotations.media.Schema;
import java.time.Instant;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A copy, and why it is there.
 *
 * @param nodeId whose own the store is; absent for a shared one
 * @param since in this state
 * @param silentSince since when no node that is heard can use the store; absent while one can
 * @param unreadable why nobody can read it, as far as is known: no other copy goes because of it; absent while somebody can
 * @param reason what whoever asked for the copy said; of one that is REMOVING, who asked for that
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
@Schema(name = "PlacedCopy")
record CopyResource(
        StoreId storeId,
        Inventory.TierKind tier,
        @Nullable NodeId nodeId,
        LocationState state,
        Instant since,
        @Nullable Instant silentSince,
        @Nullable Unreadable unreadable,
        String reason) {

    static CopyResource of(Location copy, Snapshot snapshot) {
        return new CopyResource(
                copy.storeId(),
                copy.kind(),
                copy.node().orElse(null),
                copy.state(),
                copy.since(),
                copy.silentSince(),
                copy.unreadable().orElse(null),
                Objects.requireNonNullElseGet(copy.reason(), () -> unasked(copy, snapshot)));
    }

    /** Nobody asked for these. */
    private static String unasked(Location copy, Snapshot snapshot) {
        boolean saved = copy.storeId().equals(Store.ownOf(snapshot.nodeId(), Inventory.TierKind.NVME));
        return saved ? "It was saved there." : "Its node reports that it has it.";
    }
}
