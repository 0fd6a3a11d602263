package io.gpusnap.node.engine;

import io.gpusnap.gpu.Allocation;
import io.gpusnap.gpu.GpuException;
import io.gpusnap.gpu.TargetState;
import io.gpusnap.node.engine.device.CudaProcesses;
import io.gpusnap.node.engine.device.TargetPort;
import io.gpusnap.node.operation.Stage;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.tier.TierException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A candidate of a switch: the stages of its suspend, in the three groups that the switch runs them in, with facts of its
 * own.
 */
final class Evictee {

    private static final Duration CONNECT_LIMIT = Duration.ofSeconds(2);

    private final SaveSession session;
    private final List<Stage> checking;
    private final List<Stage> freezing;
    private final List<Stage> keeping;

    Evictee(SaveSession session) {
        this.session = session;
        this.checking = List.of(new SavePreflight(session, EngineId.SUSPEND));
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

    /** It is of no use to anybody that a process without a future is kept. */
    void ended(StageContext context) {
        scope(context).remember(new WorkloadLost(session.process() + " ended while it was being kept"));
    }

    /** Managed bytes of all its processes by GPU ordinal; none when it is gone, waits already, or does not answer. */
    Map<Integer, Long> heldBytes() throws StageException {
        Map<Integer, Long> held = new HashMap<>();
        session.runtime().requireGpu();
        Optional<CudaProcesses> cuda = session.runtime().cuda(session.process());
        if (!isAlive() || cuda.isEmpty()) {
            return held;
        }
        try (TargetPort target = cuda.get().open(CONNECT_LIMIT)) {
            if (target.status().state() == TargetState.RUNNING) {
                for (Allocation allocation : target.allocations()) {
                    held.merge(allocation.gpuOrdinal(), allocation.sizeBytes(), Long::sum);
                }
            }
        } catch (GpuException e) {
            return new HashMap<>();
        }
        return held;
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
