package io.gpusnap.service.kubernetes.crd;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A model; its name is the resource's. */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonInclude(JsonInclude.Include.NON_NULL)
@ValidationRule(value = "!has(self.labels) || size(self.labels) <= 64", message = "64 labels at most")
public record ModelSpec(
        @Size(max = 2000) @JsonPropertyDescription("In words.") @Nullable
        String description,

        @JsonPropertyDescription("Free labels of the catalogue's entry.") @Nullable
        Map<String, String> labels,

        @Default("Retain")
        @JsonPropertyDescription("Whether the catalogue's entry goes with this resource, if nothing needs it.")
        @Nullable
        DeletionPolicy deletionPolicy,

        @Size(max = 256)
        @JsonPropertyDescription(
                "Namespaces whose policies and PodSnapshots may have to do with the model, besides the one whose policy made it; '*': all. Whoever may can thaw what was saved of it, with the memory of the process that was frozen.")
        @Nullable
        List<@Pattern("^([*]|[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)$") String> sharedWith) {
    public static final ModelSpec EMPTY = new ModelSpec(null, null, null, null);

    /** Of all namespaces. */
    public static final String EVERYBODY = "*";
}
