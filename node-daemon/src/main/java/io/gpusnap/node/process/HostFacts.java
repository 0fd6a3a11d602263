package io.gpusnap.node.process;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/**
 * What this machine's processor and kernel are, as a snapshot must find them again.
 *
 * @param cpuFeatures sorted
 */
public record HostFacts(String architecture, String kernelRelease, String cpuModel, List<String> cpuFeatures) {

    public HostFacts {
        cpuFeatures = List.copyOf(cpuFeatures);
    }

    public static HostFacts read() {
        List<String> cpuinfo = new ProcFs().lines(Path.of("/proc/cpuinfo"));
        String features = first(cpuinfo, "flags", "Features");
        return new HostFacts(
                System.getProperty("os.arch"),
                System.getProperty("os.version"),
                first(cpuinfo, "model name", "CPU part"),
                Arrays.stream(features.split("\\s+"))
                        .filter(feature -> !feature.isEmpty())
                        .sorted()
                        .toList());
    }

    /** The first number of a release: 6 of 6.18.44. */
    public static String kernelMajor(String release) {
        return release.split("\\.", 2)[0];
    }

    private static String first(List<String> cpuinfo, String... labels) {
        return cpuinfo.stream()
                .filter(line -> Arrays.stream(labels).anyMatch(line::startsWith))
                .map(line -> line.substring(line.indexOf(':') + 1).trim())
                .findFirst()
                .orElse("");
    }
}
