package io.gpusnap.node.criu;

/**
 * @param leave what becomes of the process after a dump that succeeded
 * @param shellJob the process is no session leader: CRIU restores it into the session of whoever restores
 */
public record DumpOptions(Leave leave, boolean shellJob) {

    /** A dump never ends the process by itself: only a committed snapshot may cost the workload its life. */
    public enum Leave {
        RUNNING,
        STOPPED
    }
}
