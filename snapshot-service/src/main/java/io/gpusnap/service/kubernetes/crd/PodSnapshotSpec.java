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
 * What is to be frozen, or what is bound. Nothing of it changes but the deletion policy.
 *
 * @param policy the SnapshotPolicy that wanted it
 */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonInclude(JsonInclude.Include.NON_NULL)
@ValidationRule(
        value = "has(self.policy) == has(oldSelf.policy) && (!has(self.policy) || self.policy == oldSelf.policy)",
        message = "policy cannot change")
@ValidationRule(value = "self.source == oldSelf.source", message = "source cannot change")
@ValidationRule(value = "self.model == oldSelf.model", message = "model cannot change")
@ValidationRule(value = "self.version == oldSelf.version", message = "version cannot change")
public record PodSnapshotSpec(
        @Required
        @JsonPropertyDescription("What is frozen, or the content that is bound.")
        Source source,

        @Required
        @Pattern(Crd.DNS_LABEL)
        @JsonPropertyDescription("Name of the model in the catalogue.")
        String model,

        @Required
        @Pattern(Crd.NAME)
        @JsonPropertyDescription("Version of the model.")
        String version,

        @JsonPropertyDescription("The SnapshotPolicy that wanted it.") @Nullable
        String policy,

        @Default("Retain") @JsonPropertyDescription("Whether the snapshot goes with this resource.") @Nullable
        DeletionPolicy deletionPolicy) {

    /**
     * One of a pod and a content.
     *
     * @param podName a pod of this namespace whose process is frozen
     * @param podUid that very pod; another one of the same name is refused
     * @param snapshotContentName a content that is there already
     */
    @JsonIgnoreProperties(ignoreUnknown = true)
    @JsonInclude(JsonInclude.Include.NON_NULL)
    @ValidationRule(
            value = "has(self.podName) != has(self.snapshotContentName)",
            message = "a source is either podName or snapshotContentName")
    @ValidationRule(value = "!has(self.podUid) || has(self.podName)", message = "podUid is of podName")
    public record Source(
            @Size(min = 1, max = 253)
            @JsonPropertyDescription("A pod of this namespace whose process is frozen.")
            @Nullable
            String podName,

            @Pattern(Crd.UUID)
            @JsonPropertyDescription("That very pod; another one of the same name is refused.")
            @Nullable
            String podUid,

            @Size(min = 1, max = 253) @JsonPropertyDescription("A SnapshotContent that is there already.") @Nullable
            String snapshotContentName) {}
}
