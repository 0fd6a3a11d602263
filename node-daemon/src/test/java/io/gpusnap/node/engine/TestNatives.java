package io.gpusnap.node.engine;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;

/** Where the native build put its parts. */
final class TestNatives {

    private TestNatives() {}

    static Path folder() {
        return Path.of(System.getProperty("gpusnap.native.dir", "../gpu-native/target/native/lib"))
                .toAbsolutePath()
                .normalize();
    }

    static Path preload() {
        return folder().resolve("libgpusnap-preload.so");
    }

    static Path simulatedDriver() {
        return folder().resolve("simulated/libcuda.so.1");
    }

    /** Stands in for NVIDIA's, on the simulated driver. */
    static Path cufile() {
        return folder().resolve("simulated/libcufile.so.0");
    }

    static Path cudaServer() {
        return folder().resolveSibling("samples/cuda-server/cuda-server");
    }

    /** Where the simulated driver in this JVM reads which of its calls fail. */
    static Path failureRules() {
        return Path.of(Optional.ofNullable(System.getenv("GPUSNAP_SIM_STATE_DIR"))
                        .orElse("/dev/shm/gpusnap-sim"))
                .resolve("fail-" + ProcessHandle.current().pid());
    }

    /** Ends the test, with the reason, where the native part was not built. */
    static void require() {
        for (Path part : new Path[] {preload(), simulatedDriver(), cufile(), cudaServer()}) {
            Assumptions.assumeTrue(Files.exists(part), part + " is not there: run scripts/build-native.sh build");
        }
    }
}
