package io.gpusnap.service.snapshot;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What a snapshot needs besides its {@link CompatibilityClass}.
 *
 * @param gpuBytes device memory on each of the GPUs that it can open, in the order of their ordinals, the driver's own included; 0 for
 *     one that it does not use
 * @param mounts mount points that the process saw
 * @param image container image with digest; absent where the process ran without one
 * @param container whether the process ran in a container; absent where the manifest does not say
 * @param gpus those that it uses; absent where what was stored of the manifest does not say
 * @param volumes of the mounts those that the process has files on and that are no part of a plain system; absent where the manifest
 *     does not say
 */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Needs(
        List<Long> gpuBytes,
        List<String> mounts,
        @Nullable String image,
        @Nullable Boolean container,
        @Nullable List<String> volumes,
        @Nullable List<UsedGpu> gpus) {

    /**
     * A GPU that it uses.
     *
     * @param ordinal in the manifest
     * @param uuid of the one that it was
     * @param bytes device memory, the driver's own included
     */
    public record UsedGpu(int ordinal, String uuid, String name, long bytes) {}

    /** What is mounted at or below these differs from node to node, and is made anew on each. */
    private static final List<String> EPHEMERAL = List.of("/proc", "/sys", "/dev", "/run");
    /** Mounts or folders of one file system, as whoever installed the node liked it. */
    private static final Set<String> SYSTEM = Set.of(
            "/",
            "/bin",
            "/boot",
            "/etc",
            "/home",
            "/lib",
            "/lib64",
            "/opt",
            "/root",
            "/sbin",
            "/srv",
            "/tmp",
            "/usr",
            "/var",
            "/var/log",
            "/var/tmp");

    /** Of a snapshot whose manifest says no more. */
    public Needs(List<Long> gpuBytes, List<String> mounts, @Nullable String image) {
        this(gpuBytes, mounts, image, null, null, null);
    }

    static Needs of(Manifest manifest, Manifest.Compatibility facts) {
        Map<Integer, Long> bytes = new TreeMap<>();
        long driver = manifest.device().driverBytes().orElse(0L);
        facts.gpus().forEach(gpu -> bytes.put(gpu.ordinal(), gpu.used() ? driver : 0L));
        manifest.device()
                .allocations()
                .forEach(one -> bytes.merge(one.gpuOrdinal().orElse(0), one.sizeBytes(), Long::sum));
        return new Needs(
                List.copyOf(bytes.values()),
                facts.mounts().orElse(List.of()),
                facts.image().filter(image -> !image.isEmpty()).orElse(null),
                manifest.process()
                        .map(process -> manifest.container().isPresent())
                        .orElse(null),
                manifest.process()
                        .map(process -> volumes(process, facts.mounts().orElse(List.of())))
                        .orElse(null),
                facts.gpus().stream().allMatch(gpu -> gpu.uuid().isPresent())
                        ? facts.gpus().stream()
                                .filter(Manifest.Gpu::used)
                                .map(gpu -> new UsedGpu(
                                        gpu.ordinal(),
                                        gpu.uuid().orElseThrow(),
                                        gpu.name(),
                                        bytes.getOrDefault(gpu.ordinal(), 0L)))
                                .toList()
                        : null);
    }

    private static List<String> volumes(Manifest.Process process, List<String> mounts) {
        return Stream.of(
                        Stream.of(process.executable(), process.workingDirectory()),
                        process.openFiles().stream().map(Manifest.OpenFile::path),
                        process.mappedFiles().stream().map(Manifest.MappedFile::path))
                .flatMap(paths -> paths)
                .distinct()
                .flatMap(
                        path -> mounts.stream()
                                .filter(mount -> isIn(path, mount))
                                .max(Comparator.comparingInt(String::length))
                                .stream())
                .filter(mount -> !SYSTEM.contains(mount) && EPHEMERAL.stream().noneMatch(folder -> isIn(mount, folder)))
                .distinct()
                .sorted()
                .toList();
    }

    private static boolean isIn(String path, String folder) {
        return path.equals(folder) || path.startsWith(folder.equals("/") ? folder : folder + "/");
    }
}
