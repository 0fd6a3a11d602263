package io.gpusnap.gpu;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** One machine with simulated GPUs for all tests of this JVM: the driver can be loaded once a process. */
final class SimulatedMachine {

    static final long VRAM_BYTES = 512L << 20;
    private static final Path NATIVE = Path.of(System.getProperty("gpusnap.native.dir", "target/native/lib"));
    static final Path LIBRARY = NATIVE.resolve("libgpusnap.so");
    static final Path PRELOAD = NATIVE.resolve("libgpusnap-preload.so");
    static final Path DRIVER = NATIVE.resolve("simulated/libcuda.so.1");
    static final Path CUDA_SERVER = NATIVE.resolveSibling("samples/cuda-server/cuda-server");

    private static SimulatedMachine instance;

    private final Path folder;
    private final GpuSnapLibrary library;

    private SimulatedMachine() throws IOException, GpuException {
        folder = Files.createTempDirectory(Path.of("/dev/shm"), "gpusnap-java-");
        Runtime.getRuntime().addShutdownHook(new Thread(() -> delete(folder)));
        setEnvironment("GPUSNAP_SIM_STATE_DIR", stateDir().toString());
        setEnvironment("GPUSNAP_SIM_VRAM_BYTES", Long.toString(VRAM_BYTES));
        setEnvironment("GPUSNAP_SIM_GPUS", "2");
        library = GpuSnapLibrary.open(LIBRARY, Optional.of(DRIVER));
    }

    static synchronized SimulatedMachine get() throws IOException, GpuException {
        for (Path needed : List.of(LIBRARY, PRELOAD, DRIVER, CUDA_SERVER)) {
            assumeTrue(Files.exists(needed), "not built: " + needed + " (scripts/build-native.sh build)");
        }
        if (instance == null) {
            instance = new SimulatedMachine();
        }
        return instance;
    }

    GpuSnapLibrary library() {
        return library;
    }

    /** On tmpfs, removed when the JVM ends. */
    Path newFolder(String name) throws IOException {
        return Files.createTempDirectory(folder, name);
    }

    Path stateDir() {
        return folder.resolve("sim");
    }

    long freeBytes() throws GpuException {
        return library.gpu(0).freeBytes();
    }

    /** The simulated driver in this process reads its settings with getenv(). */
    private static void setEnvironment(String name, String value) {
        Linker linker = Linker.nativeLinker();
        try (Arena arena = Arena.ofConfined()) {
            int result = (int) linker.downcallHandle(
                            linker.defaultLookup().findOrThrow("setenv"),
                            FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, JAVA_INT))
                    .invokeExact(arena.allocateFrom(name), arena.allocateFrom(value), 1);
            assumeTrue(result == 0, "setenv does not work here");
        } catch (RuntimeException | Error problem) {
            throw problem;
        } catch (Throwable impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private static void delete(Path folder) {
        try (Stream<Path> all = Files.walk(folder)) {
            all.sorted(Comparator.reverseOrder()).forEach(path -> path.toFile().delete());
        } catch (IOException problem) {
            throw new UncheckedIOException(problem);
        }
    }

    /** All of the workload's memory, mapped here. */
    static void importAll(GpuTarget target) throws GpuException {
        while (target.importNext() > 0) {
            // the next few
        }
    }
}
