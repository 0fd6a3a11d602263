package io.gpusnap.node.engine;

import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.store.Manifest;
import java.util.List;

/**
 * Remembered by a save's preflight: whom it freezes.
 *
 * @param cudaPids those of its tree that use CUDA
 */
record SaveSubject(
        ProcessId process,
        List<Integer> cudaPids,
        String workload,
        boolean sessionLeader,
        List<Manifest.Library> libraries) {

    SaveSubject {
        cudaPids = List.copyOf(cudaPids);
        libraries = List.copyOf(libraries);
    }
}
