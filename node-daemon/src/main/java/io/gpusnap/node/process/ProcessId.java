package io.gpusnap.node.process;

/**
 * A process for as long as it lives: a pid alone may come to mean another process.
 *
 * @param startTimeTicks field 22 of /proc/pid/stat, clock ticks since boot
 */
public record ProcessId(int pid, long startTimeTicks) {

    public ProcessId {
        if (pid <= 0) {
            throw new IllegalArgumentException("pid must be positive, is " + pid);
        }
    }

    @Override
    public String toString() {
        return "pid " + pid;
    }
}
