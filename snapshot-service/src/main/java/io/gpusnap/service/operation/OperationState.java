package io.gpusnap.service.operation;

import java.util.Arrays;
import java.util.List;

/**
 * States of an operation. {@link Transition} is the one table of what may follow what; the diagram in
 * docs/control-plane.md is written from it.
 */
public enum OperationState {
    PENDING,
    RUNNING,
    SUCCEEDED,
    FAILED,
    CANCELLED;

    /** Whether nothing follows. */
    public boolean isFinal() {
        return Arrays.stream(Transition.values()).noneMatch(transition -> transition.from == this);
    }

    /** Every allowed step, and what makes it happen. */
    enum Transition {
        CLAIM(PENDING, RUNNING, "a daemon claims it"),
        RECLAIM(RUNNING, RUNNING, "its lease ran out and its node claims it again"),
        SUCCEED(RUNNING, SUCCEEDED, "the daemon reports success"),
        FAIL(RUNNING, FAILED, "the daemon reports a failure, its node is lost, or its claims are used up"),
        STOP(RUNNING, CANCELLED, "the daemon stopped it on request"),
        GIVE_UP(PENDING, FAILED, "its node is lost"),
        CANCEL(PENDING, CANCELLED, "a caller cancels it before it began");

        final OperationState from;
        final OperationState to;
        final String when;

        Transition(OperationState from, OperationState to, String when) {
            this.from = from;
            this.to = to;
            this.when = when;
        }

        static boolean allows(OperationState from, OperationState to) {
            return Arrays.stream(values()).anyMatch(transition -> transition.from == from && transition.to == to);
        }
    }

    /** States in which an operation still changes something. */
    static List<OperationState> active() {
        return Arrays.stream(values()).filter(state -> !state.isFinal()).toList();
    }
}
