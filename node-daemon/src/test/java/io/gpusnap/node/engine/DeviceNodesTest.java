package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.gpu.GpuInfo;
import io.gpusnap.node.process.ProcFs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DeviceNodesTest {

    private static final GpuInfo A = gpu(0, "GPU-a");
    private static final GpuInfo B = gpu(1, "GPU-b");
    private static final GpuInfo C = gpu(2, "GPU-c");
    private static final List<GpuInfo> NODE = List.of(A, B, C);

    @TempDir
    Path folder;

    @Test
    void aContainerHasTheGpusWhoseNodesItHas() throws IOException {
        // given a kernel that numbers the node's GPUs otherwise than CUDA does
        kernelHas("0000:01:00.0", "GPU-c", 0);
        kernelHas("0000:02:00.0", "GPU-a", 1);
        kernelHas("0000:03:00.0", "GPU-b", 2);
        // when, then
        containerHas("nvidia0", "nvidia2", "nvidiactl", "nvidia-uvm", "null");
        assertThat(found()).containsExactly(B, C);
    }

    @Test
    void whereTheKernelDoesNotSayWhoseNodesTheyAreAllCount() throws IOException {
        containerHas("nvidia1");
        assertThat(found()).as("no kernel module").isEqualTo(NODE);
        Path about = folder.resolve("proc/driver/nvidia/gpus/0000:02:00.0/information");
        Files.createDirectories(about.getParent());
        Files.writeString(about, "Model: \t\t NVIDIA H100\nDevice Minor: \t N/A\n");
        assertThat(found()).as("a GPU without a name").isEqualTo(NODE);
    }

    @Test
    void aContainerThatWasGivenNoneGetsNone() throws IOException {
        kernelHas("0000:01:00.0", "GPU-a", 0);
        kernelHas("0000:02:00.0", "GPU-strange", 1);
        containerHas("null");
        assertThat(found()).as("no GPU's node").isEmpty();
        containerHas("nvidia1");
        assertThat(found()).as("the node of one that CUDA does not see").isEmpty();
    }

    private List<GpuInfo> found() {
        return new DeviceNodes(ProcFs.at(folder.resolve("proc"))).of(folder.resolve("root"), NODE);
    }

    private void kernelHas(String bus, String uuid, int minor) throws IOException {
        new KernelGpus(folder.resolve("proc/driver/nvidia/gpus")).has(bus, uuid, minor);
    }

    private void containerHas(String... nodes) throws IOException {
        Path dev = folder.resolve("root/dev");
        Files.createDirectories(dev);
        for (String node : nodes) {
            Files.createFile(dev.resolve(node));
        }
    }

    private static GpuInfo gpu(int ordinal, String uuid) {
        return new GpuInfo(ordinal, uuid, "Simulated H100", 8L << 30, 8L << 30, 2 << 20, "9.0", "", false, true);
    }
}
