package io.gpusnap.node.operation;

/** The moments of a stage that a {@link StageListener} sees, in order. */
public enum StagePoint {
    /** The journal says RUNNING; run() has not been called. */
    STARTED,
    /** Inside run(): at each safe point and after each remembered fact. */
    INSIDE,
    /** run() has returned; the journal does not know it yet. */
    RETURNED,
    /** The journal says SUCCEEDED. */
    SUCCEEDED,
    /** compensate() is about to be called. */
    COMPENSATING,
    /** compensate() has returned; the journal does not know it yet. */
    UNDONE
}
