package io.gpusnap.service.version.web;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.gpusnap.service.version.ModelVersion;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One version of a lineage.
 *
 * @param differences facts that are others than the parent's
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
record LineageStep(
        String version, @Nullable String parent, @Nullable String changes, List<Difference> differences) {

    /** A fact that changed; absent on a side that does not have it. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    record Difference(
            String fact, @Nullable String from, @Nullable String to) {}

    static List<LineageStep> of(List<ModelVersion> lineage) {
        List<LineageStep> steps = new ArrayList<>();
        for (int i = 0; i < lineage.size(); i++) {
            ModelVersion version = lineage.get(i);
            steps.add(new LineageStep(
                    version.name(),
                    version.parent().orElse(null),
                    version.changes().orElse(null),
                    i + 1 < lineage.size() ? differences(lineage.get(i + 1), version) : List.of()));
        }
        return steps;
    }

    private static List<Difference> differences(ModelVersion from, ModelVersion to) {
        List<Difference> found = new ArrayList<>();
        add(found, "image", from.image().orElse(null), to.image().orElse(null));
        add(found, "engineArguments", String.join(" ", from.engineArguments()), String.join(" ", to.engineArguments()));
        add(found, "framework", from.framework().orElse(null), to.framework().orElse(null));
        add(
                found,
                "fingerprint",
                from.fingerprint().orElse(null),
                to.fingerprint().orElse(null));
        return found;
    }

    private static void add(List<Difference> found, String fact, @Nullable String from, @Nullable String to) {
        if (!Objects.equals(from, to)) {
            found.add(new Difference(fact, from, to));
        }
    }
}
