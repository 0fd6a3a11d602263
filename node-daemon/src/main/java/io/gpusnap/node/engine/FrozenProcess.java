package io.gpusnap.node.engine;

import io.gpusnap.node.store.ContainerPart;
import io.gpusnap.node.store.Manifest;
import java.util.List;
import java.util.Optional;

/** Remembered when the process stands still: what /proc says of it at that moment. */
record FrozenProcess(Manifest.ProcessImage image, List<String> mounts, Optional<ContainerPart> container) {

    FrozenProcess {
        mounts = List.copyOf(mounts);
    }
}
