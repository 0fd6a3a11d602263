package io.gpusnap.service.kubernetes.crd;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import org.jspecify.annotations.Nullable;

/**
 * Which snapshot of the catalogue it is.
 *
 * @param podSnapshotRef the PodSnapshot that it is bound to; absent for one that REST callers made
 */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonInclude(JsonInclude.Include.NON_NULL)
@ValidationRule(
        value =
                "!has(oldSelf.podSnapshotRef) || (has(self.podSnapshotRef) && self.podSnapshotRef == oldSelf.podSnapshotRef)",
        message = "podSnapshotRef cannot change once it is set")
@ValidationRule(value = "self.snapshotId == oldSelf.snapshotId", message = "snapshotId cannot change")
@ValidationRule(value = "self.model == oldSelf.model", message = "model cannot change")
@ValidationRule(value = "self.version == oldSelf.version", message = "version cannot change")
public record SnapshotContentSpec(
        @Required
        @Pattern(Crd.UUID)
        @JsonPropertyDescription("The catalogue's id of the snapshot.")
        String snapshotId,

        @Required
        @Pattern(Crd.DNS_LABEL)
        @JsonPropertyDescription("Name of the model in the catalogue.")
        String model,

        @Required
        @Pattern(Crd.NAME)
        @JsonPropertyDescription("Version of the model.")
        String version,

        @Default("Retain") @JsonPropertyDescription("Whether the snapshot goes with this resource.") @Nullable
        DeletionPolicy deletionPolicy,

        @JsonPropertyDescription("The PodSnapshot that it is bound to.") @Nullable
        PodSnapshotRef podSnapshotRef) {

    /** A PodSnapshot. */
    @JsonIgnoreProperties(ignoreUnknown = true)
    public record PodSnapshotRef(
            @Required @Size(min = 1, max = 63) String namespace,
            @Required @Size(min = 1, max = 253) String name,
            @Required @Pattern(Crd.UUID) String uid) {}
}
