package io.gpusnap.node.operation;

import java.time.InstantSource;
import java.util.List;

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
     * @param known facts that the operation must never be found without
     * @throws JournalException when its id is already known or it cannot be made durable
     */
    public RunningOperation begin(OperationSpec spec, StagePlan plan, Record... known) {
        return new RunningOperation(journal.create(spec, List.of(known)), plan, false, listener, clock);
    }

    /**
     * An operation that an earlier daemon left: the plan is the one built again from its spec. One that had not begun fails
     * without being run: whoever asked for it may have given it up, or to somebody else, in the meantime.
     */
    public RunningOperation resume(OperationLog log, StagePlan plan) {
        return new RunningOperation(log, plan, true, listener, clock);
    }
}
