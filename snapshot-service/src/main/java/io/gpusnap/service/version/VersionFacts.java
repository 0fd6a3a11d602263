package io.gpusnap.service.version;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What is said of a model version; null says nothing.
 *
 * @param image container image reference with digest
 * @param fingerprint of the weights
 * @param changes what changed against the parent, in words
 * @param tags free words to find it by
 * @param oracle a recorded prompt and its answer; no fact, since it says how the version is checked and not what it is
 */
public record VersionFacts(
        @Nullable String image,
        @Nullable List<String> engineArguments,
        @Nullable String framework,
        @Nullable String fingerprint,
        @Nullable String changes,
        @Nullable List<String> tags,
        @Nullable AnswerOracle oracle,
        @Nullable Map<String, String> labels) {

    /** Whether it says anything of what a snapshot depends on. */
    boolean touchesFacts() {
        return image != null || engineArguments != null || framework != null || fingerprint != null;
    }
}
