package io.gpusnap.service.operation;

/**
 * How soon moves between tiers are done. A thaw, a save or a switch goes before all of them: its claim comes first, and a
 * daemon slows moves down while one runs.
 */
public enum TransferPriority {
    /** A thaw is expected soon: prefetch, promotion. */
    URGENT(10),
    /** Something lacks a copy that it should have. */
    NORMAL(20),
    /** Nobody waits: demotion, archive, scrub, sweep. */
    BACKGROUND(30);

    /** Of all that is not a move. */
    static final int OF_OTHERS = 0;

    private final int rank;

    TransferPriority(int rank) {
        this.rank = rank;
    }

    /** Claims go by it, the lowest first. */
    int rank() {
        return rank;
    }
}
