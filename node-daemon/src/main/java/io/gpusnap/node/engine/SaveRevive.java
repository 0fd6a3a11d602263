package io.gpusnap.node.engine;

import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.OnRestart;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.process.ProcessException;

/** A workload that was dumped goes on, from the copy of its memory in the pool; hashing and storing come after. */
final class SaveRevive extends EngineStage {

    private final SaveSession session;

    SaveRevive(SaveSession session) {
        super("revive", session.times());
        this.session = session;
    }

    @Override
    public OnRestart onRestart() {
        return OnRestart.RERUN;
    }

    @Override
    void execute(StageContext context) throws StageException, ProcessException, InterruptedException {
        Rescue rescue = new Rescue(session, context);
        if (!rescue.stillAlive()) {
            throw new StageException(FailureCode.WORKLOAD_LOST, session.process() + " ended while it was being saved");
        }
        session.runtime().tree().resume(session.process());
        rescue.driver();
        rescue.memory();
        rescue.gate();
        session.closeTarget();
    }
}
