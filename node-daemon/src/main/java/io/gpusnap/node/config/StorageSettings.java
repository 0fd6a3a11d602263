package io.gpusnap.node.config;

import java.nio.file.Path;
import java.util.Optional;

/**
 * Whether chunks are read straight from their files into device memory.
 *
 * @param cufile empty: as the loader finds it
 */
public record StorageSettings(Direct direct, Optional<Path> cufile) {

    /** When. */
    public enum Direct {
        /** Where their bytes then do not pass through host memory. */
        AUTO,
        /** Also in cuFile's compatibility mode, where they do. */
        ALWAYS,
        NEVER;

        static Direct of(String text) {
            return switch (text.strip()) {
                case "auto" -> AUTO;
                case "always" -> ALWAYS;
                case "never" -> NEVER;
                default -> throw new IllegalArgumentException("write auto, always or never");
            };
        }
    }
}
