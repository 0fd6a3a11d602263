package io.gpusnap.service.operation;

/** What becomes of the process once its snapshot is safe. */
public enum AfterSave {
    KEEP_RUNNING,
    STOP
}
