package io.gpusnap.node.engine;

/** What becomes of the workload once it is saved. */
public enum AfterSave {
    /** It goes on where it was frozen. */
    KEEP_RUNNING,
    /** It ends as soon as the snapshot is committed; should the save fail, it goes on. */
    STOP
}
