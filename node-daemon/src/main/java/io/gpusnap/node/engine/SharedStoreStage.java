package io.gpusnap.node.engine;

import io.gpusnap.node.operation.OnRestart;
import io.gpusnap.node.operation.RetryPolicy;
import java.time.Duration;

/**
 * A stage that works with a store which others share: it finds again what it has done, so it is repeated rather than undone, and may be
 * interrupted anywhere, as such a store may stall.
 */
abstract class SharedStoreStage extends EngineStage {

    /** For a store that does not answer for a while. */
    private static final RetryPolicy RETRY = RetryPolicy.of(4, Duration.ofSeconds(2));

    SharedStoreStage(String name, StageTimes times) {
        super(name, times);
    }

    @Override
    public final OnRestart onRestart() {
        return OnRestart.RERUN;
    }

    @Override
    public final RetryPolicy retry() {
        return RETRY;
    }

    @Override
    public final boolean interruptible() {
        return true;
    }
}
