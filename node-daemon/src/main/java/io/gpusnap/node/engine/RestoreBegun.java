package io.gpusnap.node.engine;

import java.util.List;

/**
 * Remembered before CRIU restores: what has one of these ids from that moment on may be a half-made process of
 * this thaw; {@link HalfMade} tells.
 *
 * @param notBeforeTicks clock ticks since boot
 * @param executable as /proc/pid/exe named it when the process was saved
 */
record RestoreBegun(long notBeforeTicks, List<Integer> taskIds, String workload, String executable, long uid) {

    RestoreBegun {
        taskIds = List.copyOf(taskIds);
    }
}
