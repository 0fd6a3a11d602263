package io.gpusnap.node.engine;

import java.util.List;

/** Remembered by a save's quiesce: ordinals of the GPUs on which the workload has a context. */
record GpusInUse(List<Integer> ordinals) {

    GpusInUse {
        ordinals = List.copyOf(ordinals);
    }
}
