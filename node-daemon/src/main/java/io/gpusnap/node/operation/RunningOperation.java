package io.gpusnap.node.operation;

import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One operation on its way. {@link #run} belongs to one thread; everything else may be called from any. A plan that an
 * earlier daemon left half-way goes on where it may, or is undone; one that it had not begun is not begun any more.
 */
public final class RunningOperation {

    private static final Logger LOG = LoggerFactory.getLogger(RunningOperation.class);

    private final OperationLog log;
    private final StagePlan plan;
    private final boolean leftBehind;
    private final StageListener listener;
    private final Cancellation cancellation = new Cancellation();
    private final StageExecution execution;
    private final Undo undo;
    private final AtomicBoolean started = new AtomicBoolean();

    /** @param leftBehind by an earlier daemon */
    RunningOperation(
            OperationLog log, StagePlan plan, boolean leftBehind, StageListener listener, InstantSource clock) {
        this.log = log;
        this.plan = plan;
        this.leftBehind = leftBehind;
        this.listener = listener;
        log.expect(plan.stageNames());
        this.execution = new StageExecution(log, cancellation, listener, clock);
        this.undo = new Undo(log, plan, listener, clock);
    }

    public OperationSpec spec() {
        return log.spec();
    }

    public OperationLog log() {
        return log;
    }

    /** Stages in order, the running one with its progress of this moment. */
    public List<StageStatus> stages() {
        List<StageStatus> stages = new ArrayList<>(log.stages());
        stages.replaceAll(execution::withLiveProgress);
        return stages;
    }

    /**
     * Asks to stop at the next safe point. Past a point of no return, and once undoing, it changes nothing.
     *
     * @param code CANCELLED or LEASE_LOST
     */
    public void cancel(FailureCode code, String reason) {
        cancellation.request(code, reason);
    }

    /** Runs to the end and returns how it ended. Never throws for a stage's failure. Once only. */
    public OperationOutcome run() {
        if (!started.compareAndSet(false, true)) {
            throw new IllegalStateException("operation " + spec().id() + " was already run");
        }
        try {
            if (log.ended()) {
                return log.outcome().orElseThrow();
            }
            OperationOutcome outcome = drive();
            listener.ended(spec(), outcome);
            return outcome;
        } finally {
            plan.release().run();
        }
    }

    private OperationOutcome drive() {
        Optional<OperationOutcome> begun = log.outcome();
        if (begun.isPresent()) {
            return undo.run(begun.get());
        }
        if (leftBehind && log.state() == OperationState.PENDING) {
            return undo.run(neverBegan());
        }
        try {
            boolean cutOff = log.state() == OperationState.RUNNING;
            for (Stage stage : plan.stages()) {
                if (stage.pointOfNoReturn()) {
                    cancellation.close();
                }
                if (stage.lasting()) {
                    log.lasting();
                }
                if (log.stage(stage.name()).state() == StageState.SUCCEEDED) {
                    continue;
                }
                if (cutOff && stage.onRestart() == OnRestart.COMPENSATE) {
                    return undo.run(restarted(stage));
                }
                cutOff = false;
                Optional<OperationOutcome> stopped = execution.run(stage);
                if (stopped.isPresent()) {
                    return undo.run(stopped.get());
                }
            }
            OperationOutcome succeeded = new OperationOutcome.Succeeded();
            log.append(new JournalEvent.Ended(succeeded));
            return succeeded;
        } catch (JournalException e) {
            LOG.atError()
                    .addKeyValue(LogKeys.OPERATION, spec().id())
                    .addKeyValue(LogKeys.REASON, e.getMessage())
                    .log("operation stops: its journal cannot be written");
            if (execution.returned(plan.stages().getLast())) {
                // Only the last word is missing. To undo would destroy what was asked for: a snapshot whose process has
                // ended, or a process that serves. The next start reruns the last stage and finds all done.
                return new OperationOutcome.Succeeded();
            }
            return undo.run(new OperationOutcome.Failed(
                    FailureCode.STORE_ERROR, String.valueOf(e.getMessage()), Optional.empty(), false, List.of()));
        }
    }

    private static OperationOutcome neverBegan() {
        return new OperationOutcome.Failed(
                FailureCode.DAEMON_RESTARTED,
                "the node daemon was restarted before this operation began; nothing was touched",
                Optional.empty(),
                true,
                List.of());
    }

    private static OperationOutcome restarted(Stage stage) {
        return new OperationOutcome.Failed(
                FailureCode.DAEMON_RESTARTED,
                "the node daemon was restarted in stage " + stage.name() + "; what was done was undone",
                Optional.of(stage.name()),
                true,
                List.of());
    }
}
