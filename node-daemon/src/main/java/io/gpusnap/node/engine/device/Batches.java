package io.gpusnap.node.engine.device;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToIntFunction;

/** Work of several GPUs, cut up. */
final class Batches {

    private Batches() {}

    /** Batches of one GPU each, the GPUs taking turns, so that all of them are busy. */
    static <T> List<List<T>> byTurns(List<T> all, ToIntFunction<T> gpuOf, int size) {
        Map<Integer, List<T>> byGpu = new LinkedHashMap<>();
        all.forEach(one -> byGpu.computeIfAbsent(gpuOf.applyAsInt(one), gpu -> new ArrayList<>())
                .add(one));
        List<List<T>> batches = new ArrayList<>();
        int longest = byGpu.values().stream().mapToInt(List::size).max().orElse(0);
        for (int from = 0; from < longest; from += size) {
            for (List<T> ofGpu : byGpu.values()) {
                if (from < ofGpu.size()) {
                    batches.add(ofGpu.subList(from, Math.min(ofGpu.size(), from + size)));
                }
            }
        }
        return batches;
    }
}
