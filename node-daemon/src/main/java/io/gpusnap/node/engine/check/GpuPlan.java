package io.gpusnap.node.engine.check;

import io.gpusnap.gpu.DriverInfo;
import io.gpusnap.gpu.GpuInfo;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.store.Manifest;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Which GPU each one of a snapshot becomes here, and why not. A GPU stays what it is where it is there; else it becomes that of
 * its ordinal, else any one left, of the same model.
 *
 * @param devices by ordinal of the manifest, of those that the processes use
 * @param uuidPairs for the driver: every GPU that the processes could open, used or not, as soon as one that they use changes; empty when
 *     none does, and then those that they do not use need not even be there
 */
public record GpuPlan(Map<Integer, GpuInfo> devices, Map<String, String> uuidPairs, List<Refusal> refusals) {

    public GpuPlan {
        devices = Map.copyOf(devices);
        uuidPairs = Map.copyOf(uuidPairs);
        refusals = List.copyOf(refusals);
    }

    /** @param remap as {@link io.gpusnap.node.engine.ThawRequest} has it */
    public static GpuPlan of(Manifest manifest, DriverInfo driver, List<GpuInfo> here, Map<Integer, String> remap) {
        return new Draft(manifest.compatibility().gpus(), here, remap).plan(driver);
    }

    private static final class Draft {

        private final List<Manifest.Gpu> saved;
        private final List<GpuInfo> here;
        private final Map<Integer, String> remap;
        private final Map<Manifest.Gpu, GpuInfo> chosen = new LinkedHashMap<>();
        private final List<Refusal> refusals = new ArrayList<>();

        Draft(List<Manifest.Gpu> saved, List<GpuInfo> here, Map<Integer, String> remap) {
            // Those that nothing runs on take what is left.
            this.saved = saved.stream()
                    .sorted(Comparator.comparing(Manifest.Gpu::inUse).reversed())
                    .toList();
            this.here = here;
            this.remap = remap;
        }

        GpuPlan plan(DriverInfo driver) {
            saved.forEach(gpu ->
                    choose(gpu, here.stream().filter(device -> device.uuid().equals(remap.get(gpu.ordinal())))));
            List<Manifest.Gpu> others = saved.stream()
                    .filter(gpu -> !remap.containsKey(gpu.ordinal()))
                    .toList();
            others.forEach(gpu ->
                    choose(gpu, here.stream().filter(device -> device.uuid().equals(gpu.uuid()))));
            others.forEach(gpu -> choose(
                    gpu,
                    Stream.concat(here.stream().filter(device -> device.ordinal() == gpu.ordinal()), here.stream())));
            boolean stays = saved.stream().filter(Manifest.Gpu::inUse).allMatch(this::stays);
            saved.stream()
                    .filter(gpu -> !chosen.containsKey(gpu) && !(stays && !gpu.inUse()))
                    .map(this::none)
                    .forEach(refusals::add);
            Map<String, String> pairs = stays ? Map.of() : pairs();
            if (refusals.isEmpty() && !pairs.isEmpty() && !driver.hasGpuRemap()) {
                refusals.add(
                        mismatch("the snapshot's GPUs are %s, those here others; driver %s cannot map one to another"
                                .formatted(pairs.keySet(), driver.build())));
            }
            Map<Integer, GpuInfo> devices = new HashMap<>();
            chosen.forEach((gpu, device) -> {
                if (gpu.inUse()) {
                    devices.put(gpu.ordinal(), device);
                }
            });
            return new GpuPlan(devices, pairs, refusals);
        }

        /** The first that fits and is no other one's yet. */
        private void choose(Manifest.Gpu gpu, Stream<GpuInfo> candidates) {
            if (!chosen.containsKey(gpu)) {
                candidates
                        .filter(device -> fits(gpu, device) && !chosen.containsValue(device))
                        .findFirst()
                        .ifPresent(device -> chosen.put(gpu, device));
            }
        }

        private boolean stays(Manifest.Gpu gpu) {
            return chosen.containsKey(gpu) && chosen.get(gpu).uuid().equals(gpu.uuid());
        }

        private Map<String, String> pairs() {
            Map<String, String> pairs = new HashMap<>();
            chosen.forEach((gpu, device) -> pairs.put(gpu.uuid(), device.uuid()));
            return pairs;
        }

        private Refusal none(Manifest.Gpu gpu) {
            String wanted = remap.get(gpu.ordinal());
            Optional<GpuInfo> other = here.stream()
                    .filter(device -> wanted == null
                            ? device.ordinal() == gpu.ordinal()
                            : device.uuid().equals(wanted))
                    .findFirst();
            if (other.isPresent() && !fits(gpu, other.get())) {
                return mismatch("the snapshot was made on %s (compute capability %s), GPU %d here is %s (%s)"
                        .formatted(
                                gpu.name(),
                                gpu.computeCapability(),
                                other.get().ordinal(),
                                other.get().name(),
                                other.get().computeCapability()));
            }
            String why = wanted == null
                    ? "none is left for it"
                    : other.isPresent() ? wanted + " is another one's already" : "none is " + wanted;
            return mismatch(("the snapshot needs GPU %d (%s, %s)%s; %d GPUs are there, and " + why)
                    .formatted(
                            gpu.ordinal(),
                            gpu.name(),
                            gpu.uuid(),
                            gpu.inUse() ? "" : ", which its processes could open and do not use",
                            here.size()));
        }

        private static boolean fits(Manifest.Gpu gpu, GpuInfo device) {
            return gpu.name().equals(device.name()) && gpu.computeCapability().equals(device.computeCapability());
        }

        private static Refusal mismatch(String detail) {
            return new Refusal(FailureCode.GPU_MISMATCH, detail);
        }
    }
}
