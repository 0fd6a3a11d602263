package io.gpusnap.node.engine;

import io.gpusnap.node.file.Folders;
import io.gpusnap.node.operation.OnRestart;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.process.ProcessException;
import io.gpusnap.node.snapshot.ReadManifest;
import io.gpusnap.node.snapshot.SnapshotStore;
import io.gpusnap.node.store.ManifestException;
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
        byte[] bytes = committed ? store.manifest(session.snapshot()) : store.pendingManifest(session.snapshot());
        ReadManifest read = committed ? store.read(session.snapshot()) : store.readPending(session.snapshot());
        context.remember(outcome(
                bytes,
                read,
                SaveSession.recall(context, Pause.class),
                SaveSession.recall(context, DrainedBytes.class),
                context.recall(RefilledBytes.class)
                        .map(RefilledBytes::movedBytes)
                        .orElse(0L),
                ChunkVerifier.storedBytes(read.manifest().chunks().toList(), store.nvme())));
        if (ending == Ending.STAY_FROZEN) {
            session.suspended(context);
        }
        store.commit(session.snapshot());
        // From here on nothing may fail: the process may be gone, and an undo would take its only snapshot.
        if (ending == Ending.STOP || !session.isAlive()) {
            end(context);
        }
        clean(runtime.scratch(session.request().operation()));
    }

    private SaveOutcome outcome(
            byte[] text, ReadManifest read, Pause pause, DrainedBytes drained, long refilledBytes, long copyBytes) {
        return new SaveOutcome(
                session.snapshot(),
                new String(text, StandardCharsets.UTF_8),
                read.digest(),
                read.manifest().totals(),
                pause.seconds(),
                ending != Ending.STOP && session.isAlive(),
                drained.movedBytes() + refilledBytes,
                drained.rebuildableBytes(),
                copyBytes,
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
