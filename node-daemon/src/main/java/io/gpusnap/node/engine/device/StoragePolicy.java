package io.gpusnap.node.engine.device;

import java.nio.file.Path;
import java.util.Optional;

/**
 * Whether chunks are read straight from their files into device memory.
 *
 * @param cufile path of NVIDIA's libcufile; empty: by its soname
 */
public record StoragePolicy(Use use, Optional<Path> cufile) {

    /** When. */
    public enum Use {
        /** Where bytes then do not pass through host memory. */
        AUTO,
        /** Also in cuFile's compatibility mode, where they do. */
        ALWAYS,
        NEVER
    }

    public static StoragePolicy never() {
        return new StoragePolicy(Use.NEVER, Optional.empty());
    }
}
