package io.gpusnap.service.recovery;

/** Where the recovery of one process is. */
public enum RecoveryState {
    /** Others go first. */
    WAITING,
    /** A restore is on its way. */
    PLACING,
    /** It is back, elsewhere. */
    RECOVERED,
    /** Nothing came back; its caller has to start it. */
    COLD,
    /** Its restore failed or was cancelled. */
    FAILED,
    /** Its node came back with it before its turn came. */
    NOT_NEEDED
}
