package io.gpusnap.node.engine;

import io.gpusnap.gpu.GpuException;
import io.gpusnap.gpu.HeldMemory;
import io.gpusnap.node.engine.device.CudaProcesses;
import io.gpusnap.node.engine.device.TargetPort;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.process.ProcessException;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.snapshot.SavePins;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.transfer.LoadedChunks;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** What the stages of one save share while this daemon lives; everything that must last is remembered instead. */
final class SaveSession {

    private static final Duration CONNECT_LIMIT = Duration.ofSeconds(10);

    private final NodeRuntime runtime;
    private final SaveRequest request;
    private final SavePins pins;
    private final StageTimes times = new StageTimes();
    private @Nullable TargetPort target;
    private LoadedChunks reused = new LoadedChunks();
    private List<HeldMemory> held = List.of();

    SaveSession(NodeRuntime runtime, SaveRequest request) {
        this.runtime = runtime;
        this.request = request;
        this.pins = runtime.store().pins();
    }

    NodeRuntime runtime() {
        return runtime;
    }

    SaveRequest request() {
        return request;
    }

    SnapshotId snapshot() {
        return request.snapshot();
    }

    ProcessId process() {
        return request.workload();
    }

    UUID owner() {
        return request.operation().value();
    }

    SavePins pins() {
        return pins;
    }

    StageTimes times() {
        return times;
    }

    /** Unless it is certain that it has ended: whoever asks may end what is left of it. */
    boolean isAlive() {
        return !runtime.proc().hasEnded(process());
    }

    /** Remembers who stands still, while the first of them lives: nothing leads to the others any more when it does not. */
    void rememberTree(StageContext context) {
        List<ProcessId> tree = runtime.tree().of(process());
        if (!tree.isEmpty()) {
            context.remember(new FrozenTree(tree));
        }
    }

    /** Ends the workload: its first process, and by name those that stand still with it. */
    void endWorkload(StageContext context) throws ProcessException {
        runtime.tree().end(names(context));
    }

    private Set<ProcessId> names(StageContext context) {
        return NamedTree.names(Optional.of(process()), context.recall(FrozenTree.class));
    }

    /**
     * From when it returns the process waits to be resumed from the snapshot, and those that are with it wait for that. Durable
     * then.
     */
    void suspended(StageContext context) throws IOException {
        runtime.suspended().suspended(process(), snapshot(), runtime.tree().descend(names(context)));
    }

    /** Those of the workload's processes that use CUDA. */
    CudaProcesses cuda(StageContext context) throws StageException {
        return new CudaProcesses(
                runtime.requireGpu(),
                recall(context, SaveSubject.class).cudaPids(),
                runtime.settings().driverCallLimit());
    }

    /** The connection to the workload's preloads, opened when it is first needed. */
    TargetPort target(StageContext context) throws StageException, GpuException {
        TargetPort open = target;
        if (open == null) {
            open = cuda(context).open(CONNECT_LIMIT);
            target = open;
        }
        return open;
    }

    void closeTarget() {
        TargetPort open = target;
        target = null;
        if (open != null) {
            open.close();
        }
    }

    /** Chunks in the pool that the save counts on: they stay there until it has ended. */
    void reused(LoadedChunks chunks) {
        reused.close();
        reused = chunks;
    }

    /** Memory that the workload gets back as it is, when it goes on. */
    void hold(List<HeldMemory> memory) {
        letGo();
        held = memory;
    }

    List<HeldMemory> held() {
        return held;
    }

    /** Before anybody else may want the memory: whoever holds it keeps it from being freed. */
    void letGo() {
        held.forEach(HeldMemory::close);
        held = List.of();
    }

    void state(WorkloadInfo.State state) {
        runtime.busy().set(process(), state);
    }

    /** A fact that an earlier stage has remembered. */
    static <T extends Record> T recall(StageContext context, Class<T> type) throws StageException {
        return context.recall(type)
                .orElseThrow(() ->
                        new StageException(FailureCode.INTERNAL, "nothing is remembered of " + type.getSimpleName()));
    }

    void release() {
        closeTarget();
        letGo();
        reused.close();
        runtime.store().memory().finish(owner());
        pins.close();
        runtime.busy().clear(process());
    }
}
