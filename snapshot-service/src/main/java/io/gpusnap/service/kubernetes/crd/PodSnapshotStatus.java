package io.gpusnap.service.kubernetes.crd;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import io.fabric8.kubernetes.api.model.Condition;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What became of it; words as of external-snapshotter.
 *
 * @param snapshotId the catalogue's id
 * @param readyToUse a pod can start from it
 */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonInclude(JsonInclude.Include.NON_NULL)
public record PodSnapshotStatus(
        @Nullable Long observedGeneration,
        @Nullable String snapshotId,
        @Nullable String boundSnapshotContentName,
        @Nullable Boolean readyToUse,
        @Nullable List<Condition> conditions) {
    public static final PodSnapshotStatus EMPTY = new PodSnapshotStatus(null, null, null, null, null);
}
