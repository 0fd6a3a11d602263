package io.gpusnap.node.engine;

import io.gpusnap.node.operation.OnRestart;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.process.ProcessException;
import io.gpusnap.node.snapshot.SnapshotStore;
import io.gpusnap.node.store.Manifest;
import io.gpusnap.node.store.ManifestDigest;
import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.store.ManifestJson;
import io.gpusnap.node.tier.TierException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The snapshot exists; then, and only then, the workload gets what was asked for it. */
final class SaveCommit extends EngineStage {

    /** What becomes of the process. */
    enum Ending {
        KEEP_RUNNING,
        STOP,
        STAY_FROZEN
    }

    private static final Logger LOG = LoggerFactory.getLogger(SaveCommit.class);

    private final SaveSession session;
    private final Ending ending;

    SaveCommit(SaveSession session, Ending ending) {
        super("commit", session.times());
        this.session = session;
        this.ending = ending;
    }

    @Override
    public OnRestart onRestart() {
        return OnRestart.RERUN;
    }

    @Override
    public boolean pointOfNoReturn() {
        return true;
    }

    @Override
    void execute(StageContext context) throws StageException, TierException, ManifestException, IOException {
        NodeRuntime runtime = session.runtime();
        SnapshotStore store = runtime.store();
        if (ending == Ending.STAY_FROZEN) {
            runtime.suspended().suspended(session.process(), session.snapshot());
        }
        store.commit(session.snapshot());
        if (ending == Ending.STOP) {
            end();
        }
        Scratch.delete(runtime.scratch(session.request().operation()));
        byte[] bytes = store.manifest(session.snapshot());
        Manifest manifest = ManifestJson.read(bytes);
        Pause pause = SaveSession.recall(context, Pause.class);
        context.remember(new SaveOutcome(
                session.snapshot(),
                new String(bytes, StandardCharsets.UTF_8),
                ManifestDigest.of(bytes).hex(),
                manifest.totals(),
                pause.seconds(),
                session.isAlive(),
                session.times().seconds()));
    }

    /** The snapshot is good whatever happens here: a process that is stuck in the kernel does not undo it. */
    private void end() {
        try {
            session.runtime().tree().end(session.process());
        } catch (ProcessException e) {
            LOG.atWarn().addKeyValue("pid", session.process().pid()).log(e.getMessage());
        }
    }

    /** Only a commit that failed gets here: the snapshot must not outlive its operation's failure. */
    @Override
    void undo(StageContext context) throws TierException, ManifestException, IOException {
        SnapshotStore store = session.runtime().store();
        session.runtime().suspended().resumed(session.process());
        if (store.list().contains(session.snapshot())) {
            store.delete(session.snapshot());
        }
    }
}
