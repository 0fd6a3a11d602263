package io.gpusnap.node.engine;

import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.store.Manifest;
import java.util.List;

/** Remembered by a save's preflight: whom it freezes. */
record SaveSubject(ProcessId process, String workload, boolean sessionLeader, List<Manifest.Library> libraries) {

    SaveSubject {
        libraries = List.copyOf(libraries);
    }
}
