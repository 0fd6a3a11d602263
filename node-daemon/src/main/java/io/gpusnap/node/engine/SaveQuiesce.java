package io.gpusnap.node.engine;

import io.gpusnap.gpu.GpuException;
import io.gpusnap.node.engine.check.Refusal;
import io.gpusnap.node.engine.check.SaveChecks;
import io.gpusnap.node.engine.device.TargetPort;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.process.ProcessException;
import java.util.List;
import java.util.Set;

/**
 * The workload's gate closes, and its device becomes idle. From here on it waits. What its callbacks might have ended and have
 * not is refused now.
 */
final class SaveQuiesce extends EngineStage {

    private final SaveSession session;
    private final EngineId engine;

    SaveQuiesce(SaveSession session, EngineId engine) {
        super("quiesce", session.times());
        this.session = session;
        this.engine = engine;
    }

    @Override
    void execute(StageContext context) throws StageException, GpuException {
        session.rememberTree(context);
        context.remember(Pause.beginning());
        session.target(context).quiesce(session.request().quiesceLimit());
        session.state(WorkloadInfo.State.QUIESCED);
        TargetPort target = session.target(context);
        Set<Integer> gpus = target.gpus();
        if (!gpus.isEmpty()) {
            context.remember(new GpusInUse(List.copyOf(gpus)));
        }
        if (engine.equals(EngineId.CRIU_CUDA)) {
            NodeRuntime runtime = session.runtime();
            SaveChecks checks = new SaveChecks(runtime.proc());
            for (Refusal refusal : checks.communicators(runtime.tree().of(session.process()))) {
                throw refusal.asException();
            }
        }
    }

    @Override
    void undo(StageContext context) throws StageException, ProcessException {
        Rescue rescue = new Rescue(session, context);
        if (rescue.stillAlive()) {
            rescue.gate();
        }
    }
}
