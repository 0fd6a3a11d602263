package io.gpusnap.node.engine;

import io.gpusnap.node.process.ProcessId;
import java.util.List;

/**
 * Remembered before the gate of a workload closes, and again when CRIU has stopped it: its first process and what descends from
 * that. Nobody, from when it goes on: what becomes of its processes then is its own affair.
 */
record FrozenTree(List<ProcessId> processes) implements NamedTree {

    static final FrozenTree NOBODY = new FrozenTree(List.of());

    FrozenTree {
        processes = List.copyOf(processes);
    }
}
