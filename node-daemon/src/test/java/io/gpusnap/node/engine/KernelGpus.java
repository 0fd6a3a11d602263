package io.gpusnap.node.engine;

import io.gpusnap.gpu.GpuInfo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What NVIDIA's kernel module tells of GPUs, in a folder that stands for {@code /proc/driver/nvidia/gpus}. */
record KernelGpus(Path folder) {

    /** @param minor of its device node */
    void has(String bus, String uuid, int minor) throws IOException {
        Path about = folder.resolve(bus).resolve("information");
        Files.createDirectories(about.getParent());
        Files.writeString(about, """
                Model: \t\t NVIDIA H100 80GB HBM3
                IRQ:   \t\t 120
                GPU UUID: \t %s
                Bus Type: \t PCIe
                Bus Location: \t %s
                Device Minor: \t %d
                """.formatted(uuid, bus, minor));
    }

    /** The simulated machine's, numbered as its driver numbers them. */
    void have(Iterable<GpuInfo> gpus) throws IOException {
        for (GpuInfo gpu : gpus) {
            has("0000:%02x:00.0".formatted(gpu.ordinal() + 1), gpu.uuid(), gpu.ordinal());
        }
    }
}
