package io.gpusnap.node.operation;

import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Undoes every started stage in reverse order. One that cannot be undone does not stop the others: it is named in the
 * outcome. A journal that cannot be written does not stop it either: compensation is idempotent, the next start repeats it.
 */
final class Undo {

    private static final Logger LOG = LoggerFactory.getLogger(Undo.class);

    private final OperationLog log;
    private final StagePlan plan;
    private final StageListener listener;
    private final InstantSource clock;
    private final Cancellation never = new Cancellation();

    Undo(OperationLog log, StagePlan plan, StageListener listener, InstantSource clock) {
        this.log = log;
        this.plan = plan;
        this.listener = listener;
        this.clock = clock;
    }

    OperationOutcome run(OperationOutcome why) {
        if (log.state() != OperationState.UNDOING) {
            append(new JournalEvent.UndoStarted(why));
        }
        List<String> problems = new ArrayList<>();
        for (Stage stage : plan.stages().reversed()) {
            if (log.stage(stage.name()).state().needsUndo()) {
                undo(stage, problems);
            }
        }
        for (StageStatus status : log.stages()) {
            if (status.state() == StageState.PENDING) {
                change(status.name(), StageState.SKIPPED);
            } else if (!plan.stageNames().contains(status.name())
                    && status.state().needsUndo()) {
                problems.add(status.name() + ": no such stage in this version of the daemon");
            }
        }
        OperationOutcome outcome = why.withUndoProblems(problems);
        append(new JournalEvent.Ended(outcome));
        return outcome;
    }

    private void undo(Stage stage, List<String> problems) {
        listener.reached(log.spec(), stage.name(), StagePoint.COMPENSATING);
        try {
            stage.compensate(new RunContext(log, new Progress(), never, () -> {}));
        } catch (StageException
                | RuntimeException
                | LinkageError
                | AssertionError
                | OutOfMemoryError
                | StackOverflowError e) {
            String problem = e instanceof StageException s ? s.code() + " " + s.detail() : e.toString();
            problems.add(stage.name() + ": " + problem);
            LOG.atError()
                    .addKeyValue(LogKeys.OPERATION, log.spec().id())
                    .addKeyValue(LogKeys.STAGE, stage.name())
                    .setCause(e)
                    .log("stage could not be undone");
            return;
        }
        listener.reached(log.spec(), stage.name(), StagePoint.UNDONE);
        change(stage.name(), StageState.COMPENSATED);
    }

    private void change(String stage, StageState state) {
        append(new JournalEvent.StageChanged(stage, state, 0, 0, 0, clock.instant()));
        listener.stageChanged(log.spec(), log.stage(stage));
    }

    private void append(JournalEvent event) {
        try {
            log.append(event);
        } catch (JournalException | IllegalStateException e) {
            LOG.atError()
                    .addKeyValue(LogKeys.OPERATION, log.spec().id())
                    .addKeyValue(LogKeys.REASON, e.getMessage())
                    .log("undoing goes on without its journal");
        }
    }
}
