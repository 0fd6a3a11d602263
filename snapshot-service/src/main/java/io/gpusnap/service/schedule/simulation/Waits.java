package io.gpusnap.service.schedule.simulation;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** How long replicas were waited for, and how long models had none at all though they were to have one. */
final class Waits {
    private final Map<String, Deque<Double>> open = new HashMap<>();
    private final Map<String, Double> withoutSince = new HashMap<>();
    private final List<Double> waits = new ArrayList<>();
    private double longestWithout;
    private String longestWithoutModel = "";

    /** So many replicas are missing now. The newest wishes are those that were taken back; they count, too: they waited in vain. */
    void missing(String model, int count, double now) {
        Deque<Double> wishes = open.computeIfAbsent(model, name -> new ArrayDeque<>());
        while (wishes.size() < count) {
            wishes.addLast(now);
        }
        while (wishes.size() > count) {
            waits.add(now - wishes.removeLast());
        }
    }

    /** A replica serves: the oldest wish is fulfilled. */
    void served(String model, double now) {
        Double wished = open.computeIfAbsent(model, name -> new ArrayDeque<>()).pollFirst();
        if (wished != null) {
            waits.add(now - wished);
        }
    }

    /** What nobody fulfilled until the end has waited until then. */
    void close(double now) {
        open.values().forEach(wishes -> wishes.forEach(wished -> waits.add(now - wished)));
    }

    void serving(String model, int running, int desired, double now) {
        if (running > 0 || desired == 0) {
            withoutSince.remove(model);
            return;
        }
        double since = withoutSince.computeIfAbsent(model, name -> now);
        if (now - since > longestWithout) {
            longestWithout = now - since;
            longestWithoutModel = model;
        }
    }

    int count() {
        return waits.size();
    }

    double quantile(double level) {
        double[] sorted =
                waits.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        return sorted.length == 0 ? 0 : sorted[(int) Math.min(sorted.length - 1, Math.ceil(level * sorted.length) - 1)];
    }

    /** The longest that a model had no replica at all while it was to have one, until now at least. */
    double longestWithout() {
        return longestWithout;
    }

    String longestWithoutModel() {
        return longestWithoutModel;
    }
}
