package io.gpusnap.node.engine;

import io.gpusnap.node.criu.CriuException;
import io.gpusnap.node.criu.CriuRunner;
import io.gpusnap.node.criu.image.DumpStats;
import io.gpusnap.node.engine.check.WrittenFiles;
import io.gpusnap.node.file.Folders;
import io.gpusnap.node.operation.LogKeys;
import io.gpusnap.node.operation.OnRestart;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.process.Container;
import io.gpusnap.node.process.ProcessException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * CRIU writes the process to scratch and leaves it stopped, whatever becomes of it later: what the manifest says of its files
 * is then true for the very moment of the dump, and a save that fails afterwards has not cost the workload its life.
 */
final class SaveDump extends EngineStage {

    private static final Logger LOG = LoggerFactory.getLogger(SaveDump.class);

    private final SaveSession session;
    private final Path images;

    SaveDump(SaveSession session) {
        super("dump", session.times());
        this.session = session;
        this.images = session.runtime().scratch(session.request().operation());
    }

    @Override
    public OnRestart onRestart() {
        return OnRestart.RERUN;
    }

    @Override
    void execute(StageContext context)
            throws StageException, CriuException, ProcessException, IOException, InterruptedException {
        NodeRuntime runtime = session.runtime();
        Optional<Container> container = Container.of(runtime.proc(), session.process());
        CriuRunner criu =
                container.isPresent() ? runtime.criuIn(container.get(), List.of(), List.of()) : runtime.criu();
        SaveSubject subject = SaveSession.recall(context, SaveSubject.class);
        Rescue rescue = new Rescue(session, context);
        session.closeTarget();
        Scratch.make(images);
        if (criu.awaitOrphans(images)) {
            throw rescue.lost("a dump that an earlier daemon began did not end in time");
        }
        if (!session.isAlive()) {
            throw rescue.lost("it was gone before its dump was complete");
        }
        if (!criu.isDumped(images)) {
            CriuRunner.clear(images);
            int pid = session.process().pid();
            criu.dump(container.isPresent() ? runtime.proc().ownPid(pid) : pid, images, !subject.sessionLeader());
            DumpStats.in(images).ifPresent(this::tell);
        }
        session.rememberTree(context);
        context.remember(capture(new ProcessCapture(runtime.proc(), subject), container));
        context.remember(SaveSession.recall(context, Pause.class).ending());
    }

    /** The workload stands still for it: where that time goes is asked for when it is long. */
    private void tell(DumpStats stats) {
        LOG.atInfo()
                .addKeyValue(LogKeys.OPERATION, session.request().operation())
                .addKeyValue("freezingMillis", stats.freezing().toMillis())
                .addKeyValue("frozenMillis", stats.frozen().toMillis())
                .addKeyValue("memoryMillis", stats.memory().toMillis())
                .addKeyValue("writingMillis", stats.writing().toMillis())
                .addKeyValue("pages", stats.pages())
                .log("dumped by CRIU");
    }

    private FrozenProcess capture(ProcessCapture capture, Optional<Container> container)
            throws StageException, IOException {
        if (container.isEmpty()) {
            return capture.capture();
        }
        FrozenProcess frozen = capture.captureIn(container.get());
        if (frozen.container().isPresent()) {
            new WrittenFiles(session.runtime().proc(), container.get())
                    .copy(frozen.container().get().files(), images);
        }
        return frozen;
    }

    @Override
    void undo(StageContext context) throws StageException, ProcessException, IOException, InterruptedException {
        if (session.runtime().criu().awaitOrphans(images)) {
            throw new Rescue(session, context).lost("a dump did not end in time");
        }
        session.runtime().tree().resume(session.process());
        Folders.delete(images);
    }
}
