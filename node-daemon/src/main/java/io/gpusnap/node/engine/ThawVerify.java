package io.gpusnap.node.engine;

import io.gpusnap.gpu.GpuException;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.tier.TierException;

/**
 * Nothing of the process runs before all that it will be given is verified: what is left of {@link ThawLoad} is waited for. Where that
 * takes a while the driver may begin, in the one thread of a process that it needs.
 */
final class ThawVerify extends EngineStage {

    private final ThawSession session;

    ThawVerify(ThawSession session) {
        super("verify", session.times());
        this.session = session;
    }

    @Override
    public boolean interruptible() {
        return true;
    }

    @Override
    void execute(StageContext context)
            throws StageException, GpuException, TierException, ManifestException, InterruptedException {
        session.renewClaim(context);
        if (session.runtime().settings().ahead().driver() && session.reads()) {
            session.beginDriver(context);
        }
        session.awaitDevice(context);
    }

    @Override
    void ended(StageContext context) {
        session.rememberDamage(context);
    }
}
