package io.gpusnap.service.kubernetes.crd;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A model; its name is the resource's. */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonInclude(JsonInclude.Include.NON_NULL)
@ValidationRule(value = "!has(self.labels) || size(self.labels) <= 64", message = "64 labels at most")
public record ModelSpec(
        @Size(max = 2000) @JsonPropertyDescription("In words.") @Nullable
        String description,

        @JsonPropertyDescription("Free labels of the catalogue's entry.")
        @Nullable
        Map<String, String> labels,

        @Default("Retain")
        @JsonPropertyDescription("Whether the catalogue's entry goes with this resource, if nothing needs it.")
        @Nullable
        DeletionPolicy deletionPolicy) {
    public static final ModelSpec EMPTY = new ModelSpec(null, null, null);
}
