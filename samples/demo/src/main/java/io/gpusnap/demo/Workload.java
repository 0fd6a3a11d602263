package io.gpusnap.demo;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** How {@code samples/cuda-server} is started, plainly or under gpusnap's preload library. */
record Workload(Installation installation, Settings settings, Places places, boolean simulated, int port) {

    static final String NAME = "demo-server";
    private static final long SIMULATED_SLACK_BYTES = 2L << 30;

    List<String> command(int warmupSeconds, String stateFile) {
        return List.of(
                installation.cudaServer().toString(),
                "--port",
                Integer.toString(port),
                "--weights-mib",
                Integer.toString(settings.weightsMiB()),
                "--kv-mib",
                Integer.toString(settings.kvMiB()),
                "--warmup-seconds",
                Integer.toString(warmupSeconds),
                "--workdir",
                places.folder("workload").toString(),
                "--weights-file",
                weights().toString(),
                "--state-file",
                stateFile);
    }

    /** Kept between demos: a server's weights are on the disk before it starts. */
    boolean hasWeights() {
        return Files.isRegularFile(weights());
    }

    private Path weights() {
        return places.folder("model").resolve("weights-" + settings.weightsMiB() + ".bin");
    }

    Map<String, String> plainEnvironment() {
        Map<String, String> environment = new LinkedHashMap<>(deviceEnvironment());
        if (simulated) {
            environment.put(
                    "LD_LIBRARY_PATH", installation.simulatedDriverFolder().toString());
        }
        return environment;
    }

    Map<String, String> managedEnvironment() {
        Map<String, String> environment = new LinkedHashMap<>(plainEnvironment());
        environment.put("LD_PRELOAD", installation.preload().toString());
        environment.put("GPUSNAP_WORKLOAD", NAME);
        environment.put("GPUSNAP_SOCKET_DIR", places.memory().resolve("sockets").toString());
        return environment;
    }

    /** What workload and daemon must agree on: the simulated device is a folder that both see. */
    Map<String, String> deviceEnvironment() {
        return simulated
                ? Map.of(
                        "GPUSNAP_SIM_STATE_DIR",
                        places.memory().resolve("simulated-gpu").toString(),
                        "GPUSNAP_SIM_VRAM_BYTES",
                        Long.toString(settings.deviceBytes() + SIMULATED_SLACK_BYTES))
                : Map.of();
    }
}
