package io.gpusnap.node.engine;

import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.OnRestart;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.snapshot.SnapshotUses;
import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.tier.TierException;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;

/**
 * Deletes a snapshot and what only it named. One that is gone already is no failure. A scrub that reads it lets go of it; whoever else
 * does is waited for, because what fails is tried again only later.
 */
final class DeleteStage extends EngineStage {

    private static final Duration READERS_LIMIT = Duration.ofMinutes(10);
    private static final long READERS_POLL_MILLIS = 20;

    private final NodeRuntime runtime;
    private final SnapshotId snapshot;

    DeleteStage(NodeRuntime runtime, SnapshotId snapshot) {
        super("delete", new StageTimes());
        this.runtime = runtime;
        this.snapshot = snapshot;
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
    void execute(StageContext context)
            throws StageException, TierException, ManifestException, IOException, InterruptedException {
        requireNotFrozen(runtime, snapshot);
        context.checkCancelled();
        try (SnapshotUses.Wish wish = runtime.store().wishForDeletion(snapshot)) {
            long deadline = System.nanoTime() + READERS_LIMIT.toNanos();
            while (!wish.isFree() && System.nanoTime() < deadline) {
                context.checkCancelled();
                Thread.sleep(READERS_POLL_MILLIS);
            }
            context.remember(new DeleteOutcome(snapshot, delete(runtime, snapshot)));
        }
    }

    /** A process that is frozen as the snapshot would have nothing to come back from. */
    static void requireNotFrozen(NodeRuntime runtime, SnapshotId snapshot) throws StageException, IOException {
        Optional<ProcessId> frozen = runtime.suspended().processOf(snapshot);
        if (frozen.isPresent()) {
            throw new StageException(
                    FailureCode.WORKLOAD_UNSUPPORTED,
                    "%s is frozen as snapshot %s: resume it or end it first".formatted(frozen.get(), snapshot));
        }
    }

    /** @return bytes that became free; 0 when it was not there */
    static long delete(NodeRuntime runtime, SnapshotId snapshot) throws TierException {
        try {
            return runtime.store().delete(snapshot);
        } catch (TierException e) {
            if (e.reason() != TierException.Reason.MISSING) {
                throw e;
            }
            return 0;
        }
    }
}
