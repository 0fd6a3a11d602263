package io.gpusnap.node.engine;

import java.util.List;

/** Remembered by a save's preflight: ordinals of the GPUs that the workload can open, used or not. */
record ReachableGpus(List<Integer> ordinals) {

    ReachableGpus {
        ordinals = List.copyOf(ordinals);
    }
}
