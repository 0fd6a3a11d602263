package io.gpusnap.demo;

import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * Where the built parts are.
 *
 * @param root the repository
 * @param criu what the bootstrap found; empty where CRIU cannot be had
 * @param criuReason why CRIU is missing and how to get it; empty where it is there
 */
record Installation(
        Path root,
        Path java,
        Path serviceJar,
        Path daemonJar,
        Path nativeDir,
        Path cudaServer,
        Optional<Path> criu,
        String criuReason) {

    private static final Path GPU_DEVICE = Path.of("/dev/nvidia0");

    static Installation find(Map<String, String> environment) {
        Path root = repository();
        Path nativeBuild = root.resolve("gpu-native/target/native");
        Installation found = new Installation(
                root,
                Path.of(System.getProperty("java.home"), "bin", "java"),
                root.resolve("snapshot-service/target/snapshot-service.jar"),
                root.resolve("node-daemon/target/gpusnap-node.jar"),
                nativeBuild.resolve("lib"),
                nativeBuild.resolve("samples/cuda-server/cuda-server"),
                Optional.ofNullable(environment.get("GPUSNAP_CRIU"))
                        .filter(path -> !path.isBlank())
                        .map(Path::of),
                environment.getOrDefault("GPUSNAP_CRIU_REASON", ""));
        found.requireBuilt();
        return found;
    }

    /** Of the S3 server; it runs from there in a process of its own. */
    Path s3ServerLib() {
        return root.resolve("samples/s3-server/target/lib");
    }

    Path preload() {
        return nativeDir.resolve("libgpusnap-preload.so");
    }

    /** The folder for {@code LD_LIBRARY_PATH}. */
    Path simulatedDriverFolder() {
        return nativeDir.resolve("simulated");
    }

    Path simulatedDriver() {
        return simulatedDriverFolder().resolve("libcuda.so.1");
    }

    /** True where an NVIDIA kernel driver shows a GPU. */
    static boolean gpuIsThere() {
        return Files.exists(GPU_DEVICE) && Files.exists(Path.of("/proc/driver/nvidia/version"));
    }

    private static Path repository() {
        try {
            Path code = Path.of(Installation.class
                    .getProtectionDomain()
                    .getCodeSource()
                    .getLocation()
                    .toURI());
            for (Path folder = code; folder != null; folder = folder.getParent()) {
                if (Files.isDirectory(folder.resolve("snapshot-service"))
                        && Files.isRegularFile(folder.resolve("pom.xml"))) {
                    return folder;
                }
            }
            throw new DemoFailure(
                    "the demo's jar " + code + " is not inside the repository that it starts the parts of");
        } catch (URISyntaxException e) {
            throw new DemoFailure("cannot tell where the demo's own jar is", e);
        }
    }

    private void requireBuilt() {
        for (Path part : new Path[] {serviceJar, daemonJar, preload(), cudaServer}) {
            if (!Files.isRegularFile(part)) {
                throw new DemoFailure(root.relativize(part) + " is not there: run `make build` first");
            }
        }
        if (!Files.isDirectory(s3ServerLib())) {
            throw new DemoFailure(root.relativize(s3ServerLib()) + " is not there: run `make build` first");
        }
    }
}
