package io.gpusnap.demo;

import java.util.Locale;
import java.util.Map;

/**
 * What a caller may choose, by environment variables.
 *
 * @param weightsMiB {@code DEMO_WEIGHTS_MIB}: device memory that every answer depends on
 * @param kvMiB {@code DEMO_KV_MIB}: device memory that changes with every request
 * @param warmupSeconds {@code DEMO_WARMUP_SECONDS}: how long the server warms up at a cold start
 * @param driver {@code DEMO_DRIVER}: auto, real or simulated
 * @param keep {@code KEEP=1}: leave everything running
 */
record Settings(int weightsMiB, int kvMiB, int warmupSeconds, Driver driver, boolean keep) {

    /** Which CUDA driver the workload and the daemon use. */
    enum Driver {
        AUTO,
        REAL,
        SIMULATED
    }

    static final int DEFAULT_WEIGHTS_MIB = 512;
    static final int DEFAULT_KV_MIB = 256;
    static final int DEFAULT_WARMUP_SECONDS = 8;
    private static final int MAX_MIB = 1 << 20;
    private static final int MAX_WARMUP_SECONDS = 600;

    static Settings from(Map<String, String> environment) {
        return new Settings(
                number(environment, "DEMO_WEIGHTS_MIB", DEFAULT_WEIGHTS_MIB, MAX_MIB),
                number(environment, "DEMO_KV_MIB", DEFAULT_KV_MIB, MAX_MIB),
                number(environment, "DEMO_WARMUP_SECONDS", DEFAULT_WARMUP_SECONDS, MAX_WARMUP_SECONDS),
                driver(environment.getOrDefault("DEMO_DRIVER", "auto")),
                flag(environment.getOrDefault("KEEP", "")));
    }

    /** Device memory of the whole workload, in bytes. */
    long deviceBytes() {
        return (long) (weightsMiB + kvMiB) << 20;
    }

    private static int number(Map<String, String> environment, String name, int otherwise, int most) {
        String text = environment.getOrDefault(name, "");
        if (text.isBlank()) {
            return otherwise;
        }
        int value;
        try {
            value = Integer.parseInt(text.strip());
        } catch (NumberFormatException e) {
            throw new DemoFailure(name + " must be a whole number, is '" + text + "'", e);
        }
        if (value < 1 || value > most) {
            throw new DemoFailure(name + " must be from 1 to " + most + ", is " + value);
        }
        return value;
    }

    private static Driver driver(String text) {
        return switch (text.strip().toLowerCase(Locale.ROOT)) {
            case "auto" -> Driver.AUTO;
            case "real" -> Driver.REAL;
            case "simulated" -> Driver.SIMULATED;
            default -> throw new DemoFailure("DEMO_DRIVER must be auto, real or simulated, is '" + text + "'");
        };
    }

    private static boolean flag(String text) {
        return switch (text.strip().toLowerCase(Locale.ROOT)) {
            case "", "0", "no", "false" -> false;
            case "1", "yes", "true" -> true;
            default -> throw new DemoFailure("KEEP must be 1 or 0, is '" + text + "'");
        };
    }
}
