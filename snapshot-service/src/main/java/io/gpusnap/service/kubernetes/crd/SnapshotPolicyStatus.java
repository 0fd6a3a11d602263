package io.gpusnap.service.kubernetes.crd;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import io.fabric8.kubernetes.api.model.Condition;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How the operator sees a policy.
 *
 * @param tierPolicy name of the catalogue's tier policy that carries out tiering and retention
 * @param latestSnapshot name of the PodSnapshot that was taken last
 */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonInclude(JsonInclude.Include.NON_NULL)
public record SnapshotPolicyStatus(
        @Nullable Long observedGeneration,
        @Nullable String tierPolicy,
        @Nullable String latestSnapshot,
        @Nullable List<Condition> conditions) {
    public static final SnapshotPolicyStatus EMPTY = new SnapshotPolicyStatus(null, null, null, null);
}
