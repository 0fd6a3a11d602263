package io.gpusnap.service.restore;

import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.snapshot.Needs.UsedGpu;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * On which of a node's GPUs a snapshot comes back. Left alone, a daemon takes those that it was on, or of the same ordinal, however full
 * they are. Pure.
 */
final class GpuChoice {
    private GpuChoice() {}

    /**
     * Chooses.
     *
     * @return by ordinal of the manifest the UUID of the GPU to use; empty where the daemon's own choice has room, or none has
     */
    static Map<String, String> of(List<UsedGpu> wanted, List<Inventory.Gpu> here) {
        List<Inventory.Gpu> left = new ArrayList<>(here);
        List<UsedGpu> moved = new ArrayList<>();
        Map<String, String> chosen = new TreeMap<>();
        for (UsedGpu gpu : wanted) {
            Optional<Inventory.Gpu> own = own(gpu, left).filter(one -> hasRoom(one, gpu));
            if (own.isEmpty()) {
                moved.add(gpu);
            }
            own.ifPresent(one -> take(gpu, one, left, chosen));
        }
        moved.sort(Comparator.comparingLong(UsedGpu::bytes).reversed());
        for (UsedGpu gpu : moved) {
            Optional<Inventory.Gpu> emptiest = left.stream()
                    .filter(one -> hasRoom(one, gpu))
                    .max(Comparator.comparingLong(Inventory.Gpu::freeBytes));
            if (emptiest.isEmpty()) {
                return Map.of();
            }
            take(gpu, emptiest.get(), left, chosen);
        }
        return moved.isEmpty() ? Map.of() : chosen;
    }

    private static boolean hasRoom(Inventory.Gpu one, UsedGpu gpu) {
        return one.name().equals(gpu.name()) && one.freeBytes() >= gpu.bytes();
    }

    private static void take(UsedGpu gpu, Inventory.Gpu one, List<Inventory.Gpu> left, Map<String, String> chosen) {
        left.remove(one);
        chosen.put(Integer.toString(gpu.ordinal()), one.uuid());
    }

    /** Which the daemon takes unless it is told. */
    private static Optional<Inventory.Gpu> own(UsedGpu gpu, List<Inventory.Gpu> here) {
        return first(here, one -> one.uuid().equals(gpu.uuid()))
                .or(() -> first(here, one -> one.ordinal() == gpu.ordinal()));
    }

    private static Optional<Inventory.Gpu> first(List<Inventory.Gpu> here, Predicate<Inventory.Gpu> which) {
        return here.stream().filter(which).findFirst();
    }
}
