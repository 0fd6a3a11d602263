package io.gpusnap.node.engine;

import io.gpusnap.gpu.TargetState;
import io.gpusnap.gpu.TargetStatus;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.Stage;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.process.ProcessException;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.tier.TierException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A candidate of a switch: the stages of its suspend, in the three groups that the switch runs them in, with facts of its
 * own.
 */
final class Evictee {

    private final SaveSession session;
    private final SavePreflight preflight;
    private final List<Stage> checking;
    private final List<Stage> freezing;
    private final List<Stage> keeping;
    private Map<Integer, Long> heldBytes = Map.of();

    Evictee(SaveSession session) {
        this.session = session;
        this.preflight = new SavePreflight(session, EngineId.SUSPEND);
        this.checking = List.of(preflight);
        this.freezing = SuspendEngine.freezing(session);
        this.keeping = SuspendEngine.keeping(session);
    }

    SnapshotId snapshot() {
        return session.snapshot();
    }

    ProcessId process() {
        return session.process();
    }

    /** It was looked at, and the switch has nothing to do with it any more. */
    void passedOver() {
        session.runtime().busy().clear(session.process());
    }

    List<Stage> checking() {
        return checking;
    }

    List<Stage> freezing() {
        return freezing;
    }

    List<Stage> keeping() {
        return keeping;
    }

    boolean isAlive() {
        return session.isAlive();
    }

    /** Whether its snapshot exists. */
    boolean isKept(StageContext context) throws StageException {
        try {
            return scope(context).recall(SaveOutcome.class).isPresent()
                    && session.runtime().store().list().contains(snapshot());
        } catch (TierException e) {
            throw Failures.typed(e);
        }
    }

    /** It is of no use to anybody that a process without a future is kept, nor that others wait for it. */
    void ended(StageContext context) throws StageException {
        scope(context).remember(new WorkloadLost(session.process() + " ended while it was being kept"));
        try {
            session.endWorkload(scope(context));
        } catch (ProcessException e) {
            throw Failures.typed(e);
        }
    }

    /** Asks it what it holds. Harmless for one that is gone. */
    void look() throws StageException {
        session.runtime().requireGpu();
        if (!isAlive()) {
            return;
        }
        try {
            Inspection inspection = preflight.look();
            if (inspection.status().map(TargetStatus::state).equals(Optional.of(TargetState.RUNNING))) {
                heldBytes = inspection.heldBytes();
            }
        } catch (StageException e) {
            if (e.code() != FailureCode.WORKLOAD_NOT_FOUND) {
                throw e;
            }
        }
    }

    /** Managed bytes of all its processes by GPU ordinal; none when it is gone, waits already, or does not answer. */
    Map<Integer, Long> heldBytes() {
        return heldBytes;
    }

    void run(List<Stage> stages, StageContext context) throws StageException, InterruptedException {
        for (Stage stage : stages) {
            stage.run(scope(context));
        }
    }

    /** All of them, in reverse, also those that never ran; then the first problem. */
    void undo(List<Stage> stages, StageContext context) throws StageException {
        List<StageException> problems = new ArrayList<>();
        for (Stage stage : stages.reversed()) {
            try {
                stage.compensate(scope(context));
            } catch (StageException e) {
                problems.add(e);
            }
        }
        if (!problems.isEmpty()) {
            StageException first = problems.getFirst();
            problems.stream().skip(1).forEach(first::addSuppressed);
            throw first;
        }
    }

    private StageContext scope(StageContext context) {
        return context.scoped(snapshot().toString());
    }
}
