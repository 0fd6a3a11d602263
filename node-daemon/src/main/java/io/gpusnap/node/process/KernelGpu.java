package io.gpusnap.node.process;

import java.util.List;
import java.util.Optional;

/**
 * A GPU as the kernel has it.
 *
 * @param uuid as CUDA names it
 * @param minor of its device node: 3 for {@code /dev/nvidia3}
 */
public record KernelGpu(String uuid, int minor) {

    /** From {@code /proc/driver/nvidia/gpus/<bus id>/information}; empty where that does not say both. */
    static Optional<KernelGpu> parse(List<String> lines) {
        Optional<Integer> minor = value(lines, "Device Minor")
                .filter(text -> text.matches("[0-9]{1,9}"))
                .map(Integer::valueOf);
        return value(lines, "GPU UUID").flatMap(uuid -> minor.map(number -> new KernelGpu(uuid, number)));
    }

    private static Optional<String> value(List<String> lines, String label) {
        return lines.stream()
                .filter(line -> line.startsWith(label + ":"))
                .map(line -> line.substring(label.length() + 1).strip())
                .findFirst();
    }
}
