package io.gpusnap.node.engine;

import io.gpusnap.gpu.GpuException;
import io.gpusnap.gpu.ProcessState;
import io.gpusnap.node.engine.check.GpuPlan;
import io.gpusnap.node.engine.device.CudaProcesses;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.OnRestart;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.process.ProcFs;
import io.gpusnap.node.process.ProcessException;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.process.ProcessStat;
import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.tier.TierException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** The process runs again, up to its gate (one that was kept was never stopped), and the driver gives it its context back. */
final class ThawDriverRestore extends EngineStage {

    private static final Duration DYING_LIMIT = Duration.ofSeconds(2);
    private static final long DYING_POLL_MILLIS = 10;

    private final ThawSession session;

    ThawDriverRestore(ThawSession session) {
        super("driver-restore", session.times());
        this.session = session;
    }

    @Override
    public OnRestart onRestart() {
        return session.onRestart();
    }

    @Override
    void execute(StageContext context)
            throws StageException, GpuException, TierException, ManifestException, InterruptedException {
        Optional<DriverAhead> begun = session.driver();
        CudaProcesses cuda = session.cuda(context);
        // A stopped process is not asked: only one that was kept may have its context back already.
        boolean takesRoom = session.keepsProcess() ? cuda.state() == ProcessState.CHECKPOINTED : begun.isEmpty();
        GpuPlan gpus = takesRoom ? session.roomyGpus(context) : session.gpus(context);
        context.checkCancelled();
        if (!session.keepsProcess()) {
            begun.ifPresent(DriverAhead::letGo);
            session.runtime().tree().resume(ThawSession.process(context));
        }
        try {
            if (begun.isPresent()) {
                begun.get().restored();
            }
            Rescue.driverBack(cuda, gpus.uuidPairs());
        } catch (GpuException e) {
            requireAlive(context, cuda.pids(), e);
            throw e;
        }
    }

    /**
     * The driver only says that it does not know a process that has ended; what ended it tells more. The driver fails as soon as
     * the process is ending, and that takes a while, with much memory: one limit for all of them.
     */
    private void requireAlive(StageContext context, List<Integer> pids, GpuException why)
            throws StageException, InterruptedException {
        ProcFs proc = session.runtime().proc();
        List<ProcessId> processes =
                context.recall(RestoredTree.class).map(RestoredTree::processes).orElse(List.of()).stream()
                        .filter(process -> pids.contains(process.pid()))
                        .toList();
        long deadline = System.nanoTime() + DYING_LIMIT.toNanos();
        Optional<ProcessId> ended = processes.stream().filter(proc::hasEnded).findFirst();
        while (ended.isEmpty() && System.nanoTime() < deadline) {
            context.checkCancelled();
            Thread.sleep(DYING_POLL_MILLIS);
            ended = processes.stream().filter(proc::hasEnded).findFirst();
        }
        if (ended.isPresent()) {
            throw new StageException(
                    FailureCode.WORKLOAD_LOST,
                    "process %d %s as soon as it ran again"
                            .formatted(ended.get().pid(), ending(proc, ended.get())),
                    why);
        }
    }

    private static String ending(ProcFs proc, ProcessId process) {
        return proc.stat(process.pid())
                .filter(stat -> stat.id().equals(process))
                .map(ProcessStat::ending)
                .orElse("ended");
    }

    /**
     * A kept process is frozen again, as it was; if it is past that, it ends and is reported lost. One that was found healthy
     * serves: what failed after that was not its resume.
     */
    @Override
    void undo(StageContext context) throws StageException, ProcessException {
        if (session.keepsProcess() && context.recall(ThawOutcome.class).isEmpty()) {
            new Refreeze(session, context).run();
        }
    }
}
