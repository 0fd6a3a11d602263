package io.gpusnap.service.restore;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import io.gpusnap.service.operation.OperationSpec;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.restore.gate.Constraints;
import org.jspecify.annotations.Nullable;

/**
 * What of a wish is needed again when a way back failed.
 *
 * @param only the snapshot that it has to be
 * @param cold whether the caller starts it itself when nothing comes back; else the restore has FAILED then
 * @param container that it is to come back in
 */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonInclude(JsonInclude.Include.NON_NULL)
record KeptWish(
        @Nullable SnapshotId only,
        Constraints constraints,
        boolean cold,
        OperationSpec.@Nullable ContainerTarget container) {}
