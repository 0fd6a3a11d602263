package io.gpusnap.service.restore.web;

import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.platform.problem.ErrorCode;
import io.gpusnap.service.platform.problem.Violation;
import io.gpusnap.service.restore.Restores;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What to restore, and where.
 *
 * @param snapshotId this very snapshot; or else model and version, of which the newest READY one that can come back is taken
 * @param nodeId absent to let the service choose
 */
record CreateRestoreRequest(
        @Nullable SnapshotId snapshotId,
        @Nullable String model,
        @Nullable String version,
        @Nullable NodeId nodeId) {

    /** @throws ApiException INVALID_REQUEST unless it names a snapshot, or a model and its version */
    Restores.Wish wish() {
        if (snapshotId != null && model == null && version == null) {
            return new Restores.ThatSnapshot(snapshotId);
        }
        if (snapshotId == null && model != null && version != null) {
            return new Restores.LatestOf(model, version);
        }
        String detail = "must be given alone, or else both model and version";
        throw new ApiException(
                ErrorCode.INVALID_REQUEST, "snapshotId " + detail + ".", List.of(new Violation("/snapshotId", detail)));
    }
}
