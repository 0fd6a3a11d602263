package io.gpusnap.gpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * libgpusnap, loaded and initialised: the way to everything else in this package. Thread-safe. Stays loaded until the
 * process ends, as the CUDA driver does.
 */
public final class GpuSnapLibrary {

    /** {@code GPUSNAP_ABI_VERSION} that this binding was written for. */
    static final int ABI_VERSION = 8;

    private final NativeLibrary library;

    private GpuSnapLibrary(NativeLibrary library) {
        this.library = library;
    }

    /**
     * @param path of libgpusnap.so
     * @param driver of libcuda.so.1; the one that the dynamic linker finds when empty. The first call of a process decides
     * @throws GpuException IO when the library does not load, UNSUPPORTED when it speaks another ABI, NO_DRIVER when there
     *     is no working CUDA driver
     */
    public static GpuSnapLibrary open(Path path, Optional<Path> driver) throws GpuException {
        NativeLibrary library = NativeLibrary.load(path.toAbsolutePath());
        MethodHandle version = library.handle(NativeFunction.ABI_VERSION);
        int abi = NativeLibrary.value(() -> (int) version.invokeExact());
        if (abi != ABI_VERSION) {
            throw new GpuException(
                    GpuStatus.UNSUPPORTED, path + " has ABI version " + abi + ", this is for " + ABI_VERSION);
        }
        try (Arena arena = Arena.ofConfined()) {
            Struct args = Struct.allocate(arena, Layouts.INIT_ARGS);
            args.setInt("abi_version", ABI_VERSION);
            driver.ifPresent(at -> args.setAddress("driver_path", arena.allocateFrom(at.toString())));
            MethodHandle init = library.handle(NativeFunction.INIT);
            library.check(() -> (int) init.invokeExact(args.segment()));
        }
        return new GpuSnapLibrary(library);
    }

    /** Of the library, such as "0.1.0". */
    public String version() {
        MethodHandle version = library.handle(NativeFunction.VERSION_STRING);
        return NativeLibrary.value(() -> (MemorySegment) version.invokeExact())
                .reinterpret(256)
                .getString(0);
    }

    public DriverInfo driver() throws GpuException {
        try (Arena arena = Arena.ofConfined()) {
            Struct info = Struct.allocate(arena, Layouts.DRIVER_INFO);
            MethodHandle query = library.handle(NativeFunction.DRIVER_QUERY);
            library.check(() -> (int) query.invokeExact(info.segment()));
            return DriverInfo.from(info);
        }
    }

    public GpuInfo gpu(int ordinal) throws GpuException {
        try (Arena arena = Arena.ofConfined()) {
            Struct info = Struct.allocate(arena, Layouts.GPU_INFO);
            MethodHandle query = library.handle(NativeFunction.GPU_QUERY);
            library.check(() -> (int) query.invokeExact(ordinal, info.segment()));
            return GpuInfo.from(info);
        }
    }

    /** All that this process sees, by ordinal. */
    public List<GpuInfo> gpus() throws GpuException {
        List<GpuInfo> gpus = new ArrayList<>();
        for (int ordinal = 0, count = driver().gpuCount(); ordinal < count; ordinal++) {
            gpus.add(gpu(ordinal));
        }
        return List.copyOf(gpus);
    }

    public ProcessCheckpoint process(int pid) {
        return new ProcessCheckpoint(library, pid);
    }

    /**
     * Maps and page-locks a pool.
     *
     * @param path a file on tmpfs, created or grown as needed; what it holds stays
     * @param sizeBytes a multiple of {@link PinnedPool#SLOT_BYTES}
     */
    public PinnedPool openPool(Path path, long sizeBytes) throws GpuException {
        return PinnedPool.open(library, path, sizeBytes);
    }

    /**
     * Connects to the preload of a workload, found by its pid.
     *
     * @throws GpuException NOT_MANAGED when none answers there, PROTOCOL when it speaks another version
     */
    public GpuTarget openTarget(int pid, Duration timeout) throws GpuException {
        return GpuTarget.open(library, pid, Optional.empty(), timeout);
    }

    /** The same, by the path of the preload's socket. */
    public GpuTarget openTarget(int pid, Path socket, Duration timeout) throws GpuException {
        return GpuTarget.open(library, pid, Optional.of(socket), timeout);
    }

    /**
     * Finds room for memory of a workload that is not there yet; {@link AheadMemory#makeNext} makes it.
     *
     * @param allocations of one workload's preload, in the order of {@link GpuTarget#allocations}; GPUs as this process numbers
     *     them. What is beyond half of the files that this process may open is left out
     */
    public AheadMemory ahead(List<Allocation> allocations) throws GpuException {
        return AheadMemory.open(library, allocations);
    }

    public Mover mover() {
        return new Mover(library);
    }

    public Storage storage() {
        return new Storage(library);
    }

    public ProcessMemory processMemory() {
        return new ProcessMemory(library);
    }
}
