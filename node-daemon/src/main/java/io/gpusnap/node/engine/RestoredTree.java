package io.gpusnap.node.engine;

import io.gpusnap.node.process.ProcessId;
import java.util.List;

/**
 * Remembered while everything that CRIU restored is still stopped, and of a process that was found frozen before it is touched: the
 * {@link RestoredProcess} and what descends from it. Journals of daemons before decision 0415, of found ones before 0436, lack it.
 */
record RestoredTree(List<ProcessId> processes) implements NamedTree {

    RestoredTree {
        processes = List.copyOf(processes);
    }
}
