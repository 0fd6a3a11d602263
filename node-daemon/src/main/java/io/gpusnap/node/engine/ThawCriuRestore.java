package io.gpusnap.node.engine;

import io.gpusnap.node.criu.CriuException;
import io.gpusnap.node.criu.CriuRunner;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.process.PidNamespace;
import io.gpusnap.node.process.ProcessException;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.process.ProcessStat;
import io.gpusnap.node.store.Manifest;
import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.transfer.Joining;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/** CRIU makes the process again and leaves it stopped. */
final class ThawCriuRestore extends EngineStage {

    private final ThawSession session;
    private final Path images;

    ThawCriuRestore(ThawSession session) {
        super("criu-restore", session.times());
        this.session = session;
        this.images = session.runtime().scratch(session.request().operation());
    }

    @Override
    void execute(StageContext context)
            throws StageException, CriuException, TierException, ManifestException, InterruptedException {
        Manifest.ProcessImage process = session.manifest().process();
        session.renewClaim(context);
        CriuRunner criu = criu(context);
        context.remember(new RestoreBegun(
                session.runtime().proc().uptimeTicks(),
                process.taskIds(),
                process.workload(),
                process.executable(),
                process.uid()));
        FutureTask<Integer> restore = new FutureTask<>(() -> criu.restore(images, !process.sessionLeader()));
        Thread thread = Thread.ofPlatform().name("criu-restore").start(restore);
        try {
            context.checkCancelled();
            int pid = result(restore);
            ProcessId restored = named(context, pid)
                    .map(ProcessStat::id)
                    .orElseThrow(() -> new CriuException("the restored process, pid " + pid + ", is gone"));
            context.remember(new RestoredTree(session.runtime().tree().of(restored)));
            context.remember(new RestoredProcess(restored));
        } finally {
            Joining.all(List.of(thread)); // it ends within CRIU's own limit
        }
    }

    /** Chunks were read meanwhile, for the stages after it. */
    @Override
    void ended(StageContext context) {
        session.rememberDamage(context);
    }

    private CriuRunner criu(StageContext context) throws StageException, TierException, ManifestException {
        Optional<TargetContainer> container = session.container(context);
        Manifest manifest = session.manifest();
        if (container.isEmpty() || manifest.container().isEmpty()) {
            return session.runtime().criu();
        }
        return session.runtime()
                .criuIn(
                        container.get().container(),
                        manifest.process().taskIds(),
                        manifest.container().get().pipes());
    }

    /** By the id that CRIU has for it. */
    private Optional<ProcessStat> named(StageContext context, int pid) throws StageException {
        Optional<TargetContainer> container = session.container(context);
        return container.isPresent()
                ? container.get().ids().process(pid)
                : session.runtime().proc().stat(pid);
    }

    private static int result(FutureTask<Integer> restore) throws CriuException, InterruptedException {
        try {
            return restore.get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof CriuException cause) {
                throw cause;
            }
            throw new IllegalStateException("running CRIU broke", e.getCause());
        }
    }

    @Override
    void undo(StageContext context) throws ProcessException {
        session.closeTarget();
        session.endDriver();
        session.endAhead(); // others may wait for that memory, and ending processes takes its time
        endProcesses(context);
    }

    private void endProcesses(StageContext context) throws ProcessException {
        NodeRuntime runtime = session.runtime();
        runtime.criu().endOrphans(images);
        session.endProcesses(context);
        Optional<RestoreBegun> begun = context.recall(RestoreBegun.class);
        if (begun.isPresent() && session.request().container().isEmpty()) {
            new HalfMade(runtime.proc(), images).end(begun.get());
        } else if (begun.isPresent()) {
            endInContainer(context, begun.get());
        }
    }

    /**
     * The ids were free in there, and whoever takes one while the placeholder waits has got it from CRIU. What is left all the
     * same ends when the placeholder starts cold.
     */
    private void endInContainer(StageContext context, RestoreBegun begun) throws ProcessException {
        Optional<ClaimedContainer> claimed = context.recall(ClaimedContainer.class);
        Optional<PidNamespace> ids =
                claimed.flatMap(it -> PidNamespace.of(session.runtime().proc(), it.init()));
        if (ids.isEmpty()) {
            return; // everything in there has ended with it
        }
        for (int task : begun.taskIds()) {
            Optional<ProcessStat> found =
                    ids.get().process(task).filter(stat -> stat.startTimeTicks() >= begun.notBeforeTicks());
            if (found.isPresent() && !found.get().id().equals(claimed.get().init())) {
                session.runtime().tree().end(found.get().id());
            }
        }
    }
}
