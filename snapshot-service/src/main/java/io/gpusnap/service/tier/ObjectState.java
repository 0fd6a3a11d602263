package io.gpusnap.service.tier;

/** States of an object of a shared store. There is no way back from DELETING. */
enum ObjectState {
    /** A copy needs it, or did so until lately. */
    USED,
    /** No copy needs it. It is deleted after the grace unless a new copy needs it. */
    CONDEMNED,
    /** A sweep was told to delete it. A copy that wants to share it is refused. */
    DELETING,
    /** It is gone. Kept as long as a transfer may still believe that it is there. */
    DELETED
}
