package io.gpusnap.node.engine.device;

import io.gpusnap.gpu.DriverInfo;
import io.gpusnap.gpu.GpuException;
import io.gpusnap.gpu.GpuSnapLibrary;
import io.gpusnap.gpu.PinnedPool;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What came of looking for a GPU, and the pool that goes with it. */
public interface GpuOpening {

    /** Empty without a driver. */
    Optional<GpuPort> gpu();

    /** What was found, or why there is none. */
    String reason();

    /** Opens the pool: page-locked where there is a driver. */
    PoolMemory pool(Path file, long sizeBytes) throws GpuException, IOException;

    /**
     * Loads libgpusnap and the driver. Whatever goes wrong is the reason why there is no GPU.
     *
     * @param nativeDir folder of libgpusnap.so
     */
    static GpuOpening of(Path nativeDir, Optional<Path> cudaDriver) {
        Path path = nativeDir.resolve("libgpusnap.so");
        if (!Files.isRegularFile(path)) {
            return new None(path + " is not there (native.dir)");
        }
        try {
            GpuSnapLibrary library = GpuSnapLibrary.open(path, cudaDriver);
            DriverInfo driver = library.driver();
            String reason = "%sdriver %s, CUDA %d, %d GPUs"
                    .formatted(
                            driver.simulated() ? "simulated " : "",
                            driver.build(),
                            driver.cudaVersion(),
                            driver.gpuCount());
            return new Native(library, new NativeGpu(library), reason);
        } catch (GpuException e) {
            return new None(
                    e.getMessage() + " (install NVIDIA driver 570 or newer, or set cuda.driver to where one is)");
        }
    }

    /** A node with a driver. */
    record Native(GpuSnapLibrary library, GpuPort port, String reason) implements GpuOpening {

        private static final Logger LOG = LoggerFactory.getLogger(GpuOpening.class);

        @Override
        public Optional<GpuPort> gpu() {
            return Optional.of(port);
        }

        /** Now, because the first save would do it while its workload stands still. What fails here will say so there. */
        private void prepareDigests() throws GpuException {
            for (int ordinal = 0; ordinal < library.driver().gpuCount(); ordinal++) {
                try {
                    library.mover().prepareDigests(ordinal);
                } catch (GpuException e) {
                    LOG.atWarn().addKeyValue("gpu", ordinal).log(String.valueOf(e.getMessage()));
                }
            }
        }

        @Override
        public PoolMemory pool(Path file, long sizeBytes) throws GpuException, IOException {
            PoolMemory.prepareFolder(file);
            prepareDigests();
            return new Pinned(library.openPool(file, sizeBytes));
        }
    }

    /** A node without a driver. */
    record None(String reason) implements GpuOpening {

        @Override
        public Optional<GpuPort> gpu() {
            return Optional.empty();
        }

        @Override
        public PoolMemory pool(Path file, long sizeBytes) throws IOException {
            return PoolMemory.unpinned(file, sizeBytes);
        }
    }

    /** The pool of libgpusnap. */
    record Pinned(PinnedPool pool) implements PoolMemory {

        @Override
        public MemorySegment memory() {
            return pool.memory();
        }

        @Override
        public boolean pinned() {
            return pool.pinned();
        }

        @Override
        public void close() {
            pool.close();
        }
    }
}
