package io.gpusnap.node.engine;

import java.util.List;

/** Remembered by a save's quiesce: ordinals of the GPUs that the workload sees, used or not. */
record VisibleGpus(List<Integer> ordinals) {

    VisibleGpus {
        ordinals = List.copyOf(ordinals);
    }
}
