package io.gpusnap.service.version.web;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.gpusnap.service.platform.id.VersionId;
import io.gpusnap.service.version.AnswerOracle;
import io.gpusnap.service.version.ModelVersion;
import io.swagger.v3.oas.annotations.media.Schema;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A model version.
 *
 * @param parent the version that it was made from
 * @param changes what changed against the parent, in words
 * @param oracle what each process of it is asked after a thaw, before any traffic
 * @param frozenAt since when a READY snapshot keeps image, engineArguments, framework and fingerprint as they are
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
@Schema(name = "ModelVersion")
record VersionResource(
        VersionId id,
        String model,
        String name,
        @Nullable String image,
        List<String> engineArguments,
        @Nullable String framework,
        @Nullable String fingerprint,
        @Nullable String parent,
        @Nullable String changes,
        List<String> tags,
        @Nullable AnswerOracle oracle,
        @Nullable Instant frozenAt,
        Map<String, String> labels,
        Instant createdAt,
        Instant updatedAt) {

    static VersionResource of(ModelVersion version) {
        return new VersionResource(
                version.id(),
                version.modelName(),
                version.name(),
                version.image().orElse(null),
                version.engineArguments(),
                version.framework().orElse(null),
                version.fingerprint().orElse(null),
                version.parent().orElse(null),
                version.changes().orElse(null),
                version.tags(),
                version.oracle().orElse(null),
                version.frozenAt().orElse(null),
                version.labels(),
                version.createdAt(),
                version.updatedAt());
    }
}
