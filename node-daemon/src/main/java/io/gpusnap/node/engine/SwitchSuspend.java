package io.gpusnap.node.engine;

import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;

/** Those who make room wait from here on; their memory is in the pool, in slots of this operation. */
final class SwitchSuspend extends EngineStage {

    private final Evictees evictees;

    SwitchSuspend(ThawSession session, Evictees evictees) {
        super("suspend", session.times());
        this.evictees = evictees;
    }

    @Override
    void execute(StageContext context) throws StageException, InterruptedException {
        for (Evictee one : evictees.chosen(context)) {
            context.checkCancelled();
            one.run(one.freezing(), context);
        }
    }

    /** The process that was to come back has let its memory go: they get theirs again, and go on. */
    @Override
    void undo(StageContext context) throws StageException {
        evictees.undo(Evictee::freezing, context);
    }
}
