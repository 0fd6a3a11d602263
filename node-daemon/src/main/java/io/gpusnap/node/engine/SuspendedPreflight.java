package io.gpusnap.node.engine;

import io.gpusnap.gpu.GpuException;
import io.gpusnap.gpu.ProcessState;
import io.gpusnap.gpu.TargetState;
import io.gpusnap.node.engine.check.Compatibility;
import io.gpusnap.node.engine.check.Refusal;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.store.Manifest;
import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.tier.TierException;
import java.io.IOException;
import java.util.Map;

/** Whether the frozen process is there, is frozen as this very snapshot, and its GPUs have room. Touches nothing. */
final class SuspendedPreflight extends EngineStage {

    private final ThawSession session;

    SuspendedPreflight(ThawSession session) {
        super("preflight", session.times());
        this.session = session;
    }

    @Override
    void execute(StageContext context)
            throws StageException, GpuException, TierException, ManifestException, IOException {
        look(context);
        session.requireVram(session.gpus(context), Map.of());
    }

    @Override
    void ended(StageContext context) {
        session.rememberDamage(context);
    }

    /** As {@link #look}, for whoever looks at something else meanwhile. */
    void typedLook(StageContext context) throws StageException {
        try {
            look(context);
        } catch (GpuException | TierException | ManifestException | IOException e) {
            throw Failures.typed(e);
        }
    }

    /** All but the room. */
    private void look(StageContext context)
            throws StageException, GpuException, TierException, ManifestException, IOException {
        NodeRuntime runtime = session.runtime();
        Manifest manifest = session.manifest();
        if (!manifest.engine().equals(EngineId.SUSPEND.value())) {
            throw new StageException(
                    FailureCode.INCOMPATIBLE,
                    "snapshot %s was made by engine %s".formatted(manifest.snapshotId(), manifest.engine()));
        }
        ProcessId process =
                new ProcessId(manifest.process().pid(), manifest.process().startTimeTicks());
        if (!runtime.proc().isAlive(process)) {
            throw new StageException(
                    FailureCode.WORKLOAD_NOT_FOUND,
                    "%s, which this snapshot left frozen, is gone: engine suspend cannot make a process again"
                            .formatted(process));
        }
        if (runtime.suspended()
                .snapshotOf(process)
                .filter(manifest.snapshotId()::equals)
                .isEmpty()) {
            throw new StageException(
                    FailureCode.WORKLOAD_UNSUPPORTED, process + " is not frozen as this snapshot: it has run since");
        }
        for (Refusal refusal : Compatibility.driver(
                manifest.compatibility(), runtime.requireGpu().driver())) {
            throw refusal.asException();
        }
        session.occupy(process);
        context.remember(new RestoredTree(runtime.tree().of(process)));
        context.remember(new RestoredProcess(process));
        context.remember(new FoundDepth(
                session.cuda(context).state() == ProcessState.CHECKPOINTED
                        ? SuspendDepth.CONTEXT_RELEASED
                        : SuspendDepth.CONTEXT_KEPT));
        TargetState state = session.target(context).status().state();
        session.closeTarget();
        if (state != TargetState.RELEASED) {
            throw new StageException(FailureCode.WORKLOAD_UNSUPPORTED, process + " is not suspended but " + state);
        }
    }
}
