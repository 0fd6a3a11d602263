package io.gpusnap.node.engine;

import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.OnRestart;
import io.gpusnap.node.operation.RetryPolicy;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * What waits in the pool becomes snapshots, while the other process serves already. The memory has a new owner: a disk that
 * is full or fails for a moment, or a driver that does not say what it is, gets time to recover before that is given up.
 */
final class SwitchStore extends EngineStage {

    private static final Set<FailureCode> PASSING =
            Set.of(FailureCode.INSUFFICIENT_SPACE, FailureCode.STORE_ERROR, FailureCode.DRIVER_FAILED);

    private final Evictees evictees;
    private final RetryPolicy retry;

    SwitchStore(ThawSession session, Evictees evictees, RetryPolicy retry) {
        super("store", session.times());
        this.evictees = evictees;
        this.retry = retry;
    }

    /** Up to a minute and a half. */
    static RetryPolicy patience() {
        return RetryPolicy.of(8, Duration.ofSeconds(1));
    }

    @Override
    public OnRestart onRestart() {
        return OnRestart.RERUN;
    }

    @Override
    public boolean lasting() {
        return true;
    }

    @Override
    public boolean pointOfNoReturn() {
        return true;
    }

    @Override
    public RetryPolicy retry() {
        return retry;
    }

    /** Each is tried, whatever became of those before it: who is not stored here ends, if it finds no room to come back. */
    @Override
    void execute(StageContext context) throws StageException, InterruptedException {
        List<StageException> problems = new ArrayList<>();
        for (Evictee one : evictees.chosen(context)) {
            try {
                store(one, context);
            } catch (StageException e) {
                problems.add(e);
            }
        }
        if (!problems.isEmpty()) {
            throw first(problems);
        }
    }

    private static void store(Evictee one, StageContext context) throws StageException, InterruptedException {
        if (one.isKept(context)) {
            return;
        }
        if (!one.isAlive()) {
            one.ended(context);
            return;
        }
        try {
            one.run(one.keeping(), context);
        } catch (StageException e) {
            throw PASSING.contains(e.code()) ? StageException.retryable(e.code(), e.detail(), e) : e;
        }
    }

    /** One that may pass goes before those that do not: who fails for good takes nobody's further attempts. */
    private static StageException first(List<StageException> problems) {
        StageException first =
                problems.stream().filter(StageException::retryable).findFirst().orElseGet(problems::getFirst);
        problems.stream().filter(problem -> problem != first).forEach(first::addSuppressed);
        return first;
    }

    @Override
    void undo(StageContext context) throws StageException {
        evictees.undo(Evictee::keeping, context);
    }
}
