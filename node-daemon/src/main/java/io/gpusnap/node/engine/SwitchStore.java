package io.gpusnap.node.engine;

import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.OnRestart;
import io.gpusnap.node.operation.RetryPolicy;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import java.time.Duration;

/**
 * What waits in the pool becomes snapshots, while the other process serves already. The memory has a new owner: a disk that
 * is full, or fails for a moment, gets time to recover before that is given up.
 */
final class SwitchStore extends EngineStage {

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
    public boolean pointOfNoReturn() {
        return true;
    }

    @Override
    public RetryPolicy retry() {
        return retry;
    }

    @Override
    void execute(StageContext context) throws StageException, InterruptedException {
        for (Evictee one : evictees.chosen(context)) {
            if (one.isKept(context)) {
                continue;
            }
            if (!one.isAlive()) {
                one.ended(context);
                continue;
            }
            try {
                one.run(one.keeping(), context);
            } catch (StageException e) {
                throw e.code() == FailureCode.INSUFFICIENT_SPACE || e.code() == FailureCode.STORE_ERROR
                        ? StageException.retryable(e.code(), e.detail(), e)
                        : e;
            }
        }
    }

    @Override
    void undo(StageContext context) throws StageException {
        evictees.undo(Evictee::keeping, context);
    }
}
