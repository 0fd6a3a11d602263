package io.gpusnap.service.policy.web;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.operation.TransferPriority;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.OperationId;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.id.StoreId;
import io.gpusnap.service.policy.CarriedOut;
import io.gpusnap.service.policy.rules.Decision;
import io.swagger.v3.oas.annotations.media.Schema;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What a rule decides, and why.
 *
 * @param rule its kind; {@code safety} and {@code repair} are part of every policy
 * @param storeId of a COPY where to, of a REMOVE and a KEEP where
 * @param nodeId who makes the copy
 * @param result what became of it; absent of a dry run
 * @param operationId that was queued for it
 * @param deferredBecause why it is not done now; the next evaluation decides anew
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
@Schema(name = "PlacementDecision")
record DecisionResource(
        SnapshotId snapshotId,
        Action action,
        String rule,
        String reason,
        @Nullable StoreId storeId,
        Inventory.@Nullable TierKind tier,
        @Nullable NodeId nodeId,
        @Nullable TransferPriority priority,
        CarriedOut.@Nullable Result result,
        @Nullable OperationId operationId,
        @Nullable String deferredBecause) {

    /** KEEP: a rule wants the copy where another one would remove it. BLOCKED: wanted, and not possible now. */
    @Schema(name = "PlacementAction")
    enum Action {
        COPY,
        REMOVE,
        DELETE,
        KEEP,
        BLOCKED
    }

    static DecisionResource of(Decision decision) {
        return of(decision, null);
    }

    static DecisionResource of(CarriedOut done) {
        return of(done.decision(), done);
    }

    private static DecisionResource of(Decision decision, @Nullable CarriedOut done) {
        return switch (decision) {
            case Decision.Copy copy -> of(copy, copy.store(), copy.kind(), copy.by(), copy.priority(), done);
            case Decision.Remove remove -> of(remove, remove.store(), remove.kind(), null, null, done);
            case Decision.Keep keep -> of(keep, keep.store(), keep.kind(), null, null, done);
            case Decision.Delete delete -> of(delete, null, null, null, null, done);
            case Decision.Blocked blocked -> of(blocked, null, null, null, null, done);
        };
    }

    private static DecisionResource of(
            Decision decision,
            @Nullable StoreId store,
            Inventory.@Nullable TierKind kind,
            @Nullable NodeId node,
            @Nullable TransferPriority priority,
            @Nullable CarriedOut done) {
        return new DecisionResource(
                decision.snapshot(),
                Action.valueOf(decision.action().toUpperCase(Locale.ROOT)),
                decision.rule(),
                decision.reason(),
                store,
                kind,
                node,
                priority,
                done == null ? null : done.result(),
                done == null ? null : done.operation().orElse(null),
                done == null ? null : done.why().orElse(null));
    }
}
