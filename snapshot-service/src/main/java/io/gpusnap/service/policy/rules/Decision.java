package io.gpusnap.service.policy.rules;

import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.operation.TransferPriority;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.id.StoreId;

/** What a rule wants, and why. */
public sealed interface Decision {
    SnapshotId snapshot();

    /** The rule's kind. */
    String rule();

    /** One sentence. */
    String reason();

    /** In one word: copy, remove, delete, keep, blocked. */
    default String action() {
        return switch (this) {
            case Copy copy -> "copy";
            case Remove remove -> "remove";
            case Delete delete -> "delete";
            case Keep keep -> "keep";
            case Blocked blocked -> "blocked";
        };
    }

    /** Make a copy. */
    record Copy(
            SnapshotId snapshot,
            StoreId store,
            Inventory.TierKind kind,
            NodeId by,
            TransferPriority priority,
            String rule,
            String reason)
            implements Decision {}

    /** Remove a copy. */
    record Remove(SnapshotId snapshot, StoreId store, Inventory.TierKind kind, String rule, String reason)
            implements Decision {}

    /** Delete the snapshot everywhere. */
    record Delete(SnapshotId snapshot, String rule, String reason) implements Decision {}

    /** A copy stays as it is, because this rule wants it there. */
    record Keep(SnapshotId snapshot, StoreId store, Inventory.TierKind kind, String rule, String reason)
            implements Decision {}

    /** Wanted, and not possible now: something stands against it, or is missing. */
    record Blocked(SnapshotId snapshot, String rule, String reason) implements Decision {}
}
