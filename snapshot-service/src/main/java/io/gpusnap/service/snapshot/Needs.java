package io.gpusnap.service.snapshot;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What a snapshot needs besides its {@link CompatibilityClass}.
 *
 * @param gpuBytes device memory on each of its GPUs, in the order of their ordinals, the driver's own included
 * @param mounts mount points that the process saw
 * @param image container image with digest; absent where the process ran without one
 */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Needs(
        List<Long> gpuBytes, List<String> mounts, @Nullable String image) {

    static Needs of(Manifest manifest, Manifest.Compatibility facts) {
        Map<Integer, Long> bytes = new TreeMap<>();
        long driver = manifest.device().driverBytes().orElse(0L);
        facts.gpus().forEach(gpu -> bytes.put(gpu.ordinal(), driver));
        manifest.device()
                .allocations()
                .forEach(one -> bytes.merge(one.gpuOrdinal().orElse(0), one.sizeBytes(), Long::sum));
        return new Needs(
                List.copyOf(bytes.values()),
                facts.mounts().orElse(List.of()),
                facts.image().filter(image -> !image.isEmpty()).orElse(null));
    }
}
