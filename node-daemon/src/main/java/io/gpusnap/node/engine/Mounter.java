package io.gpusnap.node.engine;

import io.gpusnap.gpu.MemoryFileSystem;
import java.io.IOException;
import java.nio.file.Path;

/** Puts file systems in memory over folders. */
interface Mounter {

    /** By the system's calls. */
    Mounter SYSTEM = new Mounter() {
        @Override
        public void mount(String source, Path folder, String options) throws IOException {
            MemoryFileSystem.mount(source, folder, options);
        }

        @Override
        public void unmount(Path folder) throws IOException {
            MemoryFileSystem.unmount(folder);
        }
    };

    /** As {@link MemoryFileSystem#mount}. */
    void mount(String source, Path folder, String options) throws IOException;

    /** As {@link MemoryFileSystem#unmount}. */
    void unmount(Path folder) throws IOException;
}
