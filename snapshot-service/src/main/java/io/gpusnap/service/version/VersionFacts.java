package io.gpusnap.service.version;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What is said of a model version; null says nothing.
 *
 * @param image container image reference with digest
 * @param fingerprint of the weights
 */
public record VersionFacts(
        @Nullable String image,
        @Nullable List<String> engineArguments,
        @Nullable String framework,
        @Nullable String fingerprint,
        @Nullable Map<String, String> labels) {}
