package io.gpusnap.node.engine;

import io.gpusnap.node.file.Folders;
import io.gpusnap.node.operation.OnRestart;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.process.ProcessException;
import io.gpusnap.node.snapshot.ReadManifest;
import io.gpusnap.node.snapshot.SnapshotStore;
import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.transfer.ChunkVerifier;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
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
    public boolean lasting() {
        return true;
    }

    @Override
    public boolean pointOfNoReturn() {
        return true;
    }

    @Override
    void execute(StageContext context) throws StageException, TierException, ManifestException, IOException {
        NodeRuntime runtime = session.runtime();
        SnapshotStore store = runtime.store();
        boolean committed = store.list().contains(session.snapshot());
        if (!committed || context.recall(SaveOutcome.class).isEmpty()) {
            // Of one that is committed what is known is not read again: a disk that fails then would take it.
            context.remember(outcome(context, committed));
        }
        if (ending == Ending.STAY_FROZEN && !committed) {
            // Of one that is committed an earlier run has said it. By now it may have been resumed: it is not said
            // again, and what it leaves is not ended below.
            session.suspended(context);
        }
        store.commit(session.snapshot());
        // From here on nothing may fail: the process may be gone, and an undo would take its only snapshot.
        if (ending == Ending.STOP || !session.isAlive() && !(committed && ending == Ending.STAY_FROZEN)) {
            end(context);
        }
        clean(runtime.scratch(session.request().operation()));
    }

    private SaveOutcome outcome(StageContext context, boolean committed)
            throws StageException, TierException, ManifestException {
        SnapshotStore store = session.runtime().store();
        SnapshotId snapshot = session.snapshot();
        byte[] text = committed ? store.manifest(snapshot) : store.pendingManifest(snapshot);
        ReadManifest read = committed ? store.read(snapshot) : store.readPending(snapshot);
        DrainedBytes drained = SaveSession.recall(context, DrainedBytes.class);
        long refilledBytes = context.recall(RefilledBytes.class)
                .map(RefilledBytes::movedBytes)
                .orElse(0L);
        return new SaveOutcome(
                snapshot,
                new String(text, StandardCharsets.UTF_8),
                read.digest(),
                read.manifest().totals(),
                SaveSession.recall(context, Pause.class).seconds(),
                ending != Ending.STOP && session.isAlive(),
                drained.movedBytes() + refilledBytes,
                drained.rebuildableBytes(),
                ChunkVerifier.storedBytes(read.manifest().chunks().toList(), store.nvme())
                        .orElse(null),
                session.times().seconds());
    }

    /** What stays is found and removed at the daemon's next start. */
    private static void clean(Path scratch) {
        try {
            Folders.delete(scratch);
        } catch (IOException e) {
            LOG.atWarn().addKeyValue("path", scratch).log(String.valueOf(e.getMessage()));
        }
    }

    /** The snapshot is good whatever happens here: a process that is stuck in the kernel does not undo it. */
    private void end(StageContext context) {
        try {
            session.endWorkload(context);
        } catch (ProcessException e) {
            LOG.atWarn().addKeyValue("pid", session.process().pid()).log(e.getMessage());
        }
    }

    /** Only a commit that failed gets here. The store is put right by the first stage, when the workload has its memory again. */
    @Override
    void undo(StageContext context) throws IOException {
        session.runtime().suspended().forget(session.process());
    }
}
