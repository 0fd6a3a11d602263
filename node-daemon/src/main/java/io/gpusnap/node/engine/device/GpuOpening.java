package io.gpusnap.node.engine.device;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/** What came of looking for a GPU, and the pool that goes with it. */
public interface GpuOpening {

    /** Empty without a driver. */
    Optional<Gpu> gpu();

    /** What was found, or why there is none. */
    String reason();

    /** Opens the pool: page-locked where there is a driver. */
    PoolMemory pool(Path file, long sizeBytes) throws GpuException, IOException;

    /** A node without a driver. */
    record None(String reason) implements GpuOpening {

        @Override
        public Optional<Gpu> gpu() {
            return Optional.empty();
        }

        @Override
        public PoolMemory pool(Path file, long sizeBytes) throws IOException {
            return PoolMemory.unpinned(file, sizeBytes);
        }
    }
}
