package io.gpusnap.node.operation;

import java.time.InstantSource;

/** Makes operations runnable: new ones, and those that an earlier daemon left in the journal. */
public final class OperationRunner {

    private final Journal journal;
    private final StageListener listener;
    private final InstantSource clock;

    public OperationRunner(Journal journal, StageListener listener) {
        this(journal, listener, InstantSource.system());
    }

    OperationRunner(Journal journal, StageListener listener, InstantSource clock) {
        this.journal = journal;
        this.listener = listener;
        this.clock = clock;
    }

    /**
     * A new operation, durable when this returns.
     *
     * @throws JournalException when its id is already known or it cannot be made durable
     */
    public RunningOperation begin(OperationSpec spec, StagePlan plan) {
        return new RunningOperation(journal.create(spec), plan, listener, clock);
    }

    /** An operation that was cut off: the plan is the one built again from its spec. */
    public RunningOperation resume(OperationLog log, StagePlan plan) {
        return new RunningOperation(log, plan, listener, clock);
    }
}
