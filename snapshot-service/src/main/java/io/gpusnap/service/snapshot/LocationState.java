package io.gpusnap.service.snapshot;

/** States of a copy of a snapshot in a store. */
public enum LocationState {
    /** A TRANSFER makes it. */
    COPYING,
    /** Whole, durable and proven by digest when it was made. */
    PRESENT,
    /** An EVICT or a DELETE removes it, or one that failed has begun to: then its node has yet to tell what is left. */
    REMOVING,
    /** Found wrong. It is not read again; it is removed, and made anew from another copy. */
    CORRUPT
}
