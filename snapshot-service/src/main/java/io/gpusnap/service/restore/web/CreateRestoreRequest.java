package io.gpusnap.service.restore.web;

import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.platform.problem.ErrorCode;
import io.gpusnap.service.platform.problem.Violation;
import io.gpusnap.service.restore.Order;
import io.gpusnap.service.restore.gate.Constraints;
import io.swagger.v3.oas.annotations.media.Schema;
import jakarta.validation.Valid;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import jakarta.validation.constraints.NotNull;
import jakarta.validation.constraints.Size;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What to restore, and where. One of: a snapshot; a model and a version; a model and an alias.
 *
 * @param snapshotId this very snapshot
 * @param version of the model: a READY snapshot of it that can come back
 * @param alias of the model: the version that it stands for, or that its rollout gives this replica
 * @param replicaKey the caller's name of the replica; while shares do not change a rollout gives it the same version again
 * @param nodeId only there; short for constraints.nodeIds with one
 * @param fallback what happens when nothing comes back; absent is NONE for a named snapshot and COLD otherwise
 * @param recoveryPriority when its node is lost it is done again elsewhere, greater first; absent is never
 * @param dryRun decides and tells, and does nothing
 */
record CreateRestoreRequest(
        @Nullable SnapshotId snapshotId,
        @Nullable String model,
        @Nullable String version,
        @Nullable String alias,
        @Size(min = 1, max = 200) @Nullable String replicaKey,
        @Nullable NodeId nodeId,
        @Valid @Nullable RequestedConstraints constraints,
        @Nullable OnNothing fallback,
        @Min(0) @Max(1000) @Nullable Integer recoveryPriority,
        @Nullable Boolean dryRun) {

    /** What happens when nothing comes back. */
    @Schema(name = "RestoreFallback")
    enum OnNothing {
        /** The restore ends COLD, and says how to start it. */
        COLD,
        /** The request is refused, or the restore has FAILED. */
        NONE
    }

    /**
     * What the caller says of the place.
     *
     * @param nodeIds only these
     * @param excludeNodeIds none of these
     * @param image container image with digest that it is to come back in
     * @param mounts mount points that are there
     */
    @Schema(name = "RestoreConstraints")
    record RequestedConstraints(
            @Nullable @Size(min = 1, max = 100) List<@NotNull NodeId> nodeIds,
            @Nullable @Size(max = 100) List<@NotNull NodeId> excludeNodeIds,
            @Size(min = 1, max = 500) @Nullable String image,
            @Nullable @Size(max = 200) List<@NotNull @Size(max = 4096) String> mounts) {}

    boolean isDryRun() {
        return Boolean.TRUE.equals(dryRun);
    }

    /** @throws ApiException INVALID_REQUEST unless it names one thing to restore */
    Order order() {
        Order.Wish wish = wish();
        boolean cold = fallback == null ? !(wish instanceof Order.ThatSnapshot) : fallback == OnNothing.COLD;
        return new Order(wish, asked(), replicaKey, cold, recoveryPriority);
    }

    private Constraints asked() {
        if (constraints == null) {
            return nodeId == null ? Constraints.NONE : Constraints.on(nodeId);
        }
        if (nodeId != null && constraints.nodeIds() != null) {
            throw refused("/nodeId", "must not be given beside constraints.nodeIds");
        }
        return new Constraints(
                nodeId == null ? constraints.nodeIds() : List.of(nodeId),
                constraints.excludeNodeIds(),
                constraints.image(),
                constraints.mounts());
    }

    private Order.Wish wish() {
        if (snapshotId != null && model == null && version == null && alias == null) {
            return new Order.ThatSnapshot(snapshotId);
        }
        if (snapshotId == null && model != null && version != null && alias == null) {
            return new Order.VersionOf(model, version);
        }
        if (snapshotId == null && model != null && alias != null && version == null) {
            return new Order.AliasOf(model, alias);
        }
        throw refused("/snapshotId", "must be given alone, or else a model with either version or alias");
    }

    private static ApiException refused(String pointer, String detail) {
        return new ApiException(
                ErrorCode.INVALID_REQUEST,
                pointer.substring(1) + " " + detail + ".",
                List.of(new Violation(pointer, detail)));
    }
}
