package io.gpusnap.service.operation;

/** Who makes room for the process that a switch resumes. */
public enum SwitchPolicy {
    /** As few as are needed, the least recently resumed first. */
    EVICT_IF_NEEDED,
    /** Every candidate with memory on that GPU. */
    SUSPEND_OTHERS
}
