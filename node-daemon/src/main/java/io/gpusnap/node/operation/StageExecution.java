package io.gpusnap.node.operation;

import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Runs single stages forward, with their retries, and keeps the live progress. */
final class StageExecution {

    private static final Logger LOG = LoggerFactory.getLogger(StageExecution.class);

    private record Live(String stage, Progress progress) {}

    private final OperationLog log;
    private final Cancellation cancellation;
    private final StageListener listener;
    private final InstantSource clock;
    private volatile @Nullable Live live;
    private @Nullable Stage returned;

    StageExecution(OperationLog log, Cancellation cancellation, StageListener listener, InstantSource clock) {
        this.log = log;
        this.cancellation = cancellation;
        this.listener = listener;
        this.clock = clock;
    }

    StageStatus withLiveProgress(StageStatus status) {
        Live now = live;
        return now != null && now.stage().equals(status.name()) && status.state() == StageState.RUNNING
                ? status.with(now.progress().snapshot())
                : status;
    }

    /** Whether the stage did its work, be it in the journal or not. */
    boolean returned(Stage stage) {
        return stage.equals(returned);
    }

    /** Empty when the stage succeeded, otherwise what the operation has to end with. */
    Optional<OperationOutcome> run(Stage stage) {
        RetryPolicy retry = stage.retry();
        for (int tries = 1; ; tries++) {
            Progress progress = new Progress();
            live = new Live(stage.name(), progress);
            try {
                cancellation.check();
                change(stage, StageState.RUNNING, log.stage(stage.name()).attempt() + 1, progress);
                listener.reached(log.spec(), stage.name(), StagePoint.STARTED);
                work(stage, new RunContext(log, progress, cancellation, () -> inside(stage)));
                returned = stage;
                listener.reached(log.spec(), stage.name(), StagePoint.RETURNED);
                change(stage, StageState.SUCCEEDED, 0, progress);
                listener.reached(log.spec(), stage.name(), StagePoint.SUCCEEDED);
                return Optional.empty();
            } catch (StageException e) {
                if (isInterrupted(stage)) {
                    return cancelled(stage, new OperationCancelledException(e.detail()));
                }
                if (!e.repeatable() || tries >= retry.maxAttempts()) {
                    return failed(stage, e.code(), e.detail(), e.retryable(), progress);
                }
                Optional<OperationOutcome> stopped = pause(stage, e, tries, progress);
                if (stopped.isPresent()) {
                    return stopped;
                }
            } catch (OperationCancelledException e) {
                return cancelled(stage, e);
            } catch (InterruptedException e) {
                return interrupted(stage, progress);
            } catch (JournalException e) {
                throw e;
            } catch (Exception | LinkageError | AssertionError | OutOfMemoryError | StackOverflowError e) {
                if (e instanceof Exception && isInterrupted(stage)) {
                    return cancelled(stage, new OperationCancelledException(String.valueOf(e.getMessage())));
                }
                LOG.atError()
                        .addKeyValue(LogKeys.OPERATION, log.spec().id())
                        .addKeyValue(LogKeys.STAGE, stage.name())
                        .setCause(e)
                        .log("stage broke");
                return failed(stage, FailureCode.INTERNAL, "stage " + stage.name() + " broke: " + e, false, progress);
            }
        }
    }

    private void work(Stage stage, StageContext context) throws StageException, InterruptedException {
        if (!stage.interruptible()) {
            stage.run(context);
            return;
        }
        cancellation.interruptsMe();
        try {
            stage.run(context);
        } finally {
            cancellation.interruptsNobody();
        }
    }

    /** Then its failure, whatever it says, is taken for the interrupt's. */
    private boolean isInterrupted(Stage stage) {
        return stage.interruptible() && cancellation.current().isPresent();
    }

    private void inside(Stage stage) {
        listener.reached(log.spec(), stage.name(), StagePoint.INSIDE);
    }

    private Optional<OperationOutcome> pause(Stage stage, StageException failure, int tries, Progress progress) {
        LOG.atWarn()
                .addKeyValue(LogKeys.OPERATION, log.spec().id())
                .addKeyValue(LogKeys.STAGE, stage.name())
                .addKeyValue(LogKeys.ATTEMPT, tries)
                .addKeyValue(LogKeys.CODE, failure.code())
                .addKeyValue(LogKeys.REASON, failure.detail())
                .log("stage failed, trying again");
        try {
            cancellation.sleep(stage.retry().delayAfter(tries, RandomGenerator.getDefault()));
            return Optional.empty();
        } catch (OperationCancelledException e) {
            return cancelled(stage, e);
        } catch (InterruptedException e) {
            return interrupted(stage, progress);
        }
    }

    private Optional<OperationOutcome> interrupted(Stage stage, Progress progress) {
        // The flag is cleared on purpose: undoing has to be able to wait.
        Thread.interrupted();
        return cancellation.current().isPresent()
                ? cancelled(stage, new OperationCancelledException("interrupted"))
                : failed(stage, FailureCode.INTERNAL, "stage " + stage.name() + " was interrupted", true, progress);
    }

    private Optional<OperationOutcome> cancelled(Stage stage, OperationCancelledException thrown) {
        Cancellation.Request why = cancellation
                .current()
                .orElseGet(() -> new Cancellation.Request(FailureCode.CANCELLED, String.valueOf(thrown.getMessage())));
        return Optional.of(
                new OperationOutcome.Cancelled(why.code(), why.reason(), Optional.of(stage.name()), List.of()));
    }

    private Optional<OperationOutcome> failed(
            Stage stage, FailureCode code, String detail, boolean retryable, Progress progress) {
        change(stage, StageState.FAILED, 0, progress);
        return Optional.of(new OperationOutcome.Failed(code, detail, Optional.of(stage.name()), retryable, List.of()));
    }

    private void change(Stage stage, StageState state, int attempt, Progress progress) {
        ProgressSnapshot bytes = progress.snapshot();
        log.append(new JournalEvent.StageChanged(
                stage.name(), state, attempt, bytes.doneBytes(), bytes.totalBytes(), clock.instant()));
        listener.stageChanged(log.spec(), log.stage(stage.name()));
    }
}
