package io.gpusnap.node.engine;

import java.util.List;

/**
 * Remembered before CRIU restores: whatever has one of these ids from that moment on is a half-made process of this thaw.
 *
 * @param notBeforeTicks clock ticks since boot
 */
record RestoreBegun(long notBeforeTicks, List<Integer> taskIds, String workload) {

    RestoreBegun {
        taskIds = List.copyOf(taskIds);
    }
}
