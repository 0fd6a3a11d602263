package io.gpusnap.service.kubernetes.crd;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import io.fabric8.kubernetes.api.model.Condition;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What the catalogue says of the model.
 *
 * @param aliases name to version
 */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonInclude(JsonInclude.Include.NON_NULL)
public record ModelStatus(
        @Nullable Long observedGeneration,
        @Nullable Integer versions,
        @Nullable Map<String, String> aliases,
        @Nullable List<Condition> conditions) {
    public static final ModelStatus EMPTY = new ModelStatus(null, null, null, null);
}
