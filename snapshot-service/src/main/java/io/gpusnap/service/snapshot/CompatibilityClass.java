package io.gpusnap.service.snapshot;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What a node must be like to thaw a snapshot, without what differs from snapshot to snapshot. Snapshots of one version
 * that agree in this can stand in for each other.
 *
 * @param kernelMajor the first number of the kernel's release: processes do not go back and forth over it
 * @param cpuFeatures sorted; each must be there
 * @param driverBuild the driver's own version; the driver restores only what the same build saved
 * @param simulated made with the stand-in driver of tests and the demo
 * @param criu whether CRIU made a part of it
 */
@JsonIgnoreProperties(ignoreUnknown = true)
public record CompatibilityClass(
        String architecture,
        String kernelMajor,
        List<String> cpuFeatures,
        List<Gpus> gpus,
        int cudaDriverVersion,
        String driverBuild,
        boolean simulated,
        boolean criu) {
    private static final int KEY_DIGITS = 16;

    /**
     * GPUs of one kind.
     *
     * @param computeCapability absent where the manifest does not say
     */
    @JsonIgnoreProperties(ignoreUnknown = true)
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Gpus(String model, @Nullable String computeCapability, int count) {}

    static CompatibilityClass of(Manifest.Compatibility facts, boolean criu) {
        return new CompatibilityClass(
                facts.architecture(),
                kernelMajor(facts.kernelRelease()),
                facts.cpuFeatures().stream().sorted().distinct().toList(),
                gpus(facts.gpus()),
                facts.cudaDriverVersion(),
                facts.driverBuild(),
                facts.simulated(),
                criu);
    }

    /** Names it: equal facts, equal key. */
    public String key() {
        return ManifestCheck.sha256(toString().getBytes(StandardCharsets.UTF_8)).substring(0, KEY_DIGITS);
    }

    /** GPUs of all kinds. */
    public int gpuCount() {
        return gpus.stream().mapToInt(Gpus::count).sum();
    }

    /** The driver's branch: the first number of its build. */
    public String driverBranch() {
        return driverBuild.split("\\.", 2)[0];
    }

    /** The first number of a kernel's release: 6 of 6.18.44. */
    public static String kernelMajor(String release) {
        return release.split("\\.", 2)[0];
    }

    private static List<Gpus> gpus(List<Manifest.Gpu> all) {
        Map<String, List<Manifest.Gpu>> kinds = new TreeMap<>();
        all.forEach(gpu -> kinds.computeIfAbsent(
                        gpu.name() + "\n" + gpu.computeCapability().orElse(""), kind -> new ArrayList<>())
                .add(gpu));
        return kinds.values().stream()
                .map(kind -> new Gpus(
                        kind.getFirst().name(),
                        kind.getFirst().computeCapability().orElse(null),
                        kind.size()))
                .sorted(Comparator.comparing(Gpus::model))
                .toList();
    }
}
