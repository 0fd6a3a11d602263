package io.gpusnap.service.kubernetes.csi;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import io.fabric8.kubernetes.api.model.Namespaced;
import io.fabric8.kubernetes.client.CustomResource;
import io.fabric8.kubernetes.model.annotation.Group;
import io.fabric8.kubernetes.model.annotation.Version;
import org.jspecify.annotations.Nullable;

/** A claim as it was at a moment, kept by the storage system. */
@Group(VolumeSnapshot.GROUP)
@Version("v1")
public class VolumeSnapshot extends CustomResource<VolumeSnapshot.Spec, VolumeSnapshot.Status> implements Namespaced {
    public static final String GROUP = "snapshot.storage.k8s.io";

    /** Whether a claim can be made from it. */
    @JsonIgnore
    public boolean isReady() {
        return getStatus() != null && Boolean.TRUE.equals(getStatus().readyToUse());
    }

    /** Whether the storage system could not take it, or not yet. */
    public boolean hasFailed() {
        return !isReady() && getStatus() != null && getStatus().error() != null;
    }

    /** @param volumeSnapshotClassName absent: the default of the claim's driver */
    @JsonIgnoreProperties(ignoreUnknown = true)
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Spec(Source source, @Nullable String volumeSnapshotClassName) {}

    /** What it is of. */
    @JsonIgnoreProperties(ignoreUnknown = true)
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Source(@Nullable String persistentVolumeClaimName) {}

    /** What the storage system says. */
    @JsonIgnoreProperties(ignoreUnknown = true)
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Status(
            @Nullable Boolean readyToUse, @Nullable Trouble error) {}

    /** Why it is not ready. */
    @JsonIgnoreProperties(ignoreUnknown = true)
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Trouble(@Nullable String message) {}
}
