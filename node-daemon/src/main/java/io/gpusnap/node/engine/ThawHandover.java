package io.gpusnap.node.engine;

import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.OnRestart;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.process.ProcessId;

/** The container's placeholder takes the process for its own: its signals, its end, its exit status. */
final class ThawHandover extends EngineStage {

    private final ThawSession session;

    ThawHandover(ThawSession session) {
        super("handover", session.times());
        this.session = session;
    }

    @Override
    public OnRestart onRestart() {
        return OnRestart.RERUN;
    }

    @Override
    void execute(StageContext context) throws StageException, InterruptedException {
        NodeRuntime runtime = session.runtime();
        ProcessId process = ThawSession.process(context);
        if (!runtime.proc().isAlive(process)) {
            throw new StageException(FailureCode.WORKLOAD_LOST, process + " ended before its container had it");
        }
        TargetContainer container = session.container(context)
                .orElseThrow(() -> new IllegalStateException("only a thaw into a container is handed over"));
        container.placeholder().serve(runtime.proc().ownPid(process.pid()));
    }
}
