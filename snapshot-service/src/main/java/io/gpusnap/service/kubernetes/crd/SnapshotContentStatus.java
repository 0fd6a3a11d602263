package io.gpusnap.service.kubernetes.crd;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import io.fabric8.kubernetes.api.model.Condition;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the catalogue says of the snapshot.
 *
 * @param state CREATING, READY, FAILED, QUARANTINED, DELETING or DELETED
 * @param manifestDigest as OCI writes digests
 * @param compatibilityClass key of the class of nodes that it can come back on
 */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonInclude(JsonInclude.Include.NON_NULL)
public record SnapshotContentStatus(
        @Nullable Long observedGeneration,
        @Nullable Boolean readyToUse,
        @Nullable String state,
        @Nullable String manifestDigest,
        @Nullable Long sizeBytes,
        @Nullable String compatibilityClass,
        @Nullable List<Condition> conditions) {
    public static final SnapshotContentStatus EMPTY =
            new SnapshotContentStatus(null, null, null, null, null, null, null);
}
