package io.gpusnap.service.node;

/** Whether a node is heard. */
public enum NodeState {
    /** Its heartbeats arrive. */
    ONLINE,
    /** Not heard for longer than the grace: nothing new is given to it, its workloads are UNKNOWN. */
    SILENT,
    /** Not heard for so long that its operations were given up. It is ONLINE again with its next heartbeat. */
    LOST
}
