package io.gpusnap.service.scaling;

import io.gpusnap.service.forecast.Signal;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * What a trigger asks, read from its metadata. Names that nobody knows are refused, so that a typing error is not taken for
 * the default.
 *
 * @param target how much of the signal one replica takes
 * @param activation above it there is something to scale for
 * @param ahead how far the forecast looks; zero: only what is now counts
 * @param quantile of the forecast
 */
record ScalerQuery(String model, Signal signal, double target, double activation, Duration ahead, double quantile) {
    private static final Set<String> OURS =
            Set.of("model", "signal", "target", "activation", "aheadMinutes", "quantile");
    /** Where and how KEDA itself connects; it sends them along. */
    private static final Set<String> KEDAS =
            Set.of("scalerAddress", "enableTLS", "unsafeSsl", "caCert", "tlsCertFile", "tlsClientCert", "tlsClientKey");

    private static final int LONGEST_MINUTES = 24 * 60;
    private static final double GREATEST = 1e9;

    /** The metadata cannot be right; the message names the entry. */
    static final class RefusedException extends RuntimeException {
        RefusedException(String message) {
            super(message);
        }
    }

    static ScalerQuery of(Map<String, String> metadata) {
        Set<String> unknown = new TreeSet<>(metadata.keySet());
        unknown.removeAll(OURS);
        unknown.removeAll(KEDAS);
        if (!unknown.isEmpty()) {
            throw new RefusedException("metadata " + unknown + ": not known; there are " + new TreeSet<>(OURS));
        }
        String model = metadata.getOrDefault("model", "");
        if (model.isBlank()) {
            throw new RefusedException("metadata model: must name a model");
        }
        Signal signal = signal(metadata.getOrDefault("signal", ""));
        boolean replicas = signal == Signal.REPLICAS;
        if (!replicas && !metadata.containsKey("target")) {
            throw new RefusedException("metadata target: must say how much one replica takes");
        }
        return new ScalerQuery(
                model,
                signal,
                number(metadata, "target", 1, 0.001, GREATEST),
                number(metadata, "activation", 0, 0, GREATEST),
                Duration.ofMinutes((long) number(metadata, "aheadMinutes", 0, 0, LONGEST_MINUTES)),
                number(metadata, "quantile", 0.75, 0.05, 0.95));
    }

    /** One name for each model and signal; the HPA shows it. */
    String metricName() {
        return "gpusnap-" + wireName(signal) + "-"
                + model.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9-]", "-");
    }

    boolean isActive(double value) {
        return value > activation;
    }

    private static Signal signal(String name) {
        return Arrays.stream(Signal.values())
                .filter(signal -> wireName(signal).equals(name))
                .findFirst()
                .orElseThrow(() ->
                        new RefusedException("metadata signal: must be one of " + signals() + ", is '" + name + "'"));
    }

    private static List<String> signals() {
        return Arrays.stream(Signal.values()).map(ScalerQuery::wireName).collect(Collectors.toList());
    }

    private static String wireName(Signal signal) {
        return switch (signal) {
            case REPLICAS -> "replicas";
            case REQUEST_RATE -> "request-rate";
            case QUEUE_DEPTH -> "queue-depth";
        };
    }

    private static double number(
            Map<String, String> metadata, String name, double byDefault, double least, double most) {
        String text = metadata.get(name);
        if (text == null) {
            return byDefault;
        }
        double value;
        try {
            value = Double.parseDouble(text);
        } catch (NumberFormatException e) {
            throw new RefusedException("metadata " + name + ": must be a number, is '" + text + "'");
        }
        // Also refuses what is not a number.
        if (!(value >= least && value <= most)) {
            throw new RefusedException("metadata " + name + ": must be from " + least + " to " + most + ", is " + text);
        }
        return value;
    }
}
