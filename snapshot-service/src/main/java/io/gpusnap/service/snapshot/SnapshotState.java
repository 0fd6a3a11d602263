package io.gpusnap.service.snapshot;

import java.util.Arrays;

/**
 * States of a snapshot. {@link Transition} is the one table of what may follow what; the diagram in
 * docs/control-plane.md is written from it.
 */
public enum SnapshotState {
    CREATING,
    READY,
    FAILED,
    QUARANTINED,
    DELETING,
    DELETED;

    /** Every allowed step, and what makes it happen. */
    enum Transition {
        COMMIT(CREATING, READY, "its SAVE succeeded with a valid manifest"),
        FAIL(CREATING, FAILED, "its SAVE failed, was cancelled or was given up"),
        QUARANTINE(READY, QUARANTINED, "a chunk or the manifest was found wrong"),
        DELETE_READY(READY, DELETING, "a caller deletes it"),
        DELETE_FAILED(FAILED, DELETING, "a caller deletes it"),
        DELETE_QUARANTINED(QUARANTINED, DELETING, "a caller deletes it"),
        DELETED_FROM_NODE(DELETING, DELETED, "no node has it any more, or only lost ones do");

        final SnapshotState from;
        final SnapshotState to;
        final String when;

        Transition(SnapshotState from, SnapshotState to, String when) {
            this.from = from;
            this.to = to;
            this.when = when;
        }

        static boolean allows(SnapshotState from, SnapshotState to) {
            return Arrays.stream(values()).anyMatch(transition -> transition.from == from && transition.to == to);
        }
    }
}
