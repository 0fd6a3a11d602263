package io.gpusnap.bench;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What is measured.
 *
 * @param small snapshots and nodes of the first population
 * @param large of the second
 * @param warmUp restore decisions before, so that the first population's do not pay for a service that has just started
 * @param decisions restore decisions that are timed for each population
 * @param claims operations whose way to a waiting daemon is timed
 * @param seconds that each throughput is measured for
 */
record Settings(Path serviceJar, Path out, Size small, Size large, int warmUp, int decisions, int claims, int seconds) {

    /** A population. */
    record Size(int snapshots, int nodes) {
        static Size parse(String text) {
            String[] parts = text.split("/", -1);
            return new Size(Integer.parseInt(parts[0]), Integer.parseInt(parts[1]));
        }
    }

    private static final Map<String, String> DEFAULTS = new LinkedHashMap<>(Map.of(
            "jar", "snapshot-service/target/snapshot-service.jar",
            "out", "bench/results/control-plane",
            "small", "10000/100",
            "large", "1000000/10000",
            "warm-up", "20000",
            "decisions", "2000",
            "claims", "200",
            "seconds", "15"));

    static Settings parse(String[] arguments) {
        Map<String, String> values = new LinkedHashMap<>(DEFAULTS);
        for (String argument : arguments) {
            int equals = argument.indexOf('=');
            String name = argument.startsWith("--") && equals > 2 ? argument.substring(2, equals) : "";
            if (!values.containsKey(name)) {
                throw new IllegalArgumentException(
                        argument + " is not an option; there are " + List.copyOf(values.keySet()));
            }
            values.put(name, argument.substring(equals + 1));
        }
        return new Settings(
                Path.of(of(values, "jar")),
                Path.of(of(values, "out")),
                Size.parse(of(values, "small")),
                Size.parse(of(values, "large")),
                Integer.parseInt(of(values, "warm-up")),
                Integer.parseInt(of(values, "decisions")),
                Integer.parseInt(of(values, "claims")),
                Integer.parseInt(of(values, "seconds")));
    }

    private static String of(Map<String, String> values, String name) {
        return values.getOrDefault(name, "");
    }
}
