package io.gpusnap.node.engine;

import io.gpusnap.node.store.Manifest;
import java.util.List;

/** Remembered when the process stands still: what /proc says of it at that moment. */
record FrozenProcess(Manifest.ProcessImage image, List<String> mounts) {

    FrozenProcess {
        mounts = List.copyOf(mounts);
    }
}
