package io.gpusnap.node.engine;

import io.gpusnap.gpu.Allocation;
import io.gpusnap.gpu.GpuException;
import io.gpusnap.gpu.GpuStatus;
import io.gpusnap.gpu.ProcessState;
import io.gpusnap.gpu.TargetState;
import io.gpusnap.node.engine.device.Arrival;
import io.gpusnap.node.engine.device.CudaProcesses;
import io.gpusnap.node.engine.device.DeviceContent;
import io.gpusnap.node.engine.device.DeviceFill;
import io.gpusnap.node.engine.device.FillOutcome;
import io.gpusnap.node.engine.device.TargetPort;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.process.ProcessException;
import io.gpusnap.node.snapshot.ChunkSources;
import io.gpusnap.node.tier.MemoryTier;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.transfer.ChunkLoader;
import io.gpusnap.node.transfer.LoadedChunks;
import io.gpusnap.node.transfer.Transfer;
import java.time.Duration;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The way back from each state that a freeze goes through. Every step looks at what is, not at what should be, so each may be
 * repeated, and begun by a daemon that knows nothing but the remembered facts. A step that fails costs the workload its life:
 * one that hangs for ever is worse than one that is reported lost.
 */
final class Rescue {

    private static final Logger LOG = LoggerFactory.getLogger(Rescue.class);
    private static final Duration MEMORY_WAIT = Duration.ofSeconds(10);
    private static final long MEMORY_POLL_MILLIS = 200;

    private final SaveSession session;
    private final StageContext context;

    Rescue(SaveSession session, StageContext context) {
        this.session = session;
        this.context = context;
    }

    /** Whether there is anything to rescue. If not, that is remembered, and what stands still without its first process ends. */
    boolean stillAlive() throws ProcessException {
        if (session.isAlive()) {
            return true;
        }
        session.letGo();
        if (context.recall(WorkloadLost.class).isEmpty()) {
            context.remember(new WorkloadLost(session.process() + " ended while it was being saved"));
        }
        session.endWorkload(context);
        return false;
    }

    /** The driver gives the process its context back. */
    void driver() throws StageException, ProcessException {
        try {
            driverBack(session.cuda(context), Map.of());
        } catch (GpuException e) {
            throw lost("the driver could not restore it: " + e.getMessage());
        }
    }

    static void driverBack(CudaProcesses cuda, Map<String, String> uuidPairs) throws GpuException {
        if (cuda.state() == ProcessState.FAILED) {
            throw new GpuException(GpuStatus.DRIVER, "the driver says that one of " + cuda.pids() + " has failed");
        }
        cuda.restore(uuidPairs);
        cuda.unlock();
    }

    /** Device memory is mapped again and has its content; the gate stays closed. */
    void memory() throws StageException, ProcessException, InterruptedException {
        if (context.recall(DeviceContent.class).isEmpty()) {
            return; // nothing is let go before that is remembered
        }
        session.closeTarget(); // it may be the broken connection that made the save fail
        try {
            if (session.target(context).status().state() == TargetState.RELEASED) {
                giveBack();
                remap(session.target(context));
            }
            TargetPort target = session.target(context);
            if (target.status().state() == TargetState.REMAPPED
                    && !target.allocations().stream().allMatch(Allocation::held)) {
                fill(target);
            }
        } catch (GpuException | TierException e) {
            throw lost("its device memory could not be filled again: " + e.getMessage());
        }
    }

    /** What does not come back this way is filled from the pool. */
    private void giveBack() throws StageException, GpuException {
        try {
            session.target(context).giveBack(session.held());
        } catch (GpuException e) {
            LOG.atWarn()
                    .addKeyValue("pid", session.process().pid())
                    .log("the memory that was held for the workload could not be given back: " + e.getMessage());
            session.closeTarget();
        } finally {
            session.letGo();
        }
    }

    private void fill(TargetPort target) throws StageException, GpuException, TierException, InterruptedException {
        NodeRuntime runtime = session.runtime();
        ChunkSources sources = runtime.store().sources();
        MemoryTier memory = runtime.store().memory();
        Transfer transfer = runtime.transfer(context);
        Arrival arrival = Arrival.prepare(target, allocation -> !allocation.held());
        // Of several processes some may never have let theirs go, and run by now.
        DeviceContent content = SaveSession.recall(context, DeviceContent.class).of(arrival.allocations());
        try (arrival;
                LoadedChunks reused = new LoadedChunks()) {
            new ChunkLoader(sources, memory, session.owner()).hot(content.stored(), reused, transfer.uncounted());
            FillOutcome filled = new DeviceFill(runtime.requireGpu(), memory, sources, session.owner(), reused, false)
                    .fill(content, arrival.start(), transfer);
            context.remember(new RefilledBytes(filled.movedBytes()));
        } finally {
            target.unimportMemory();
        }
    }

    /** Somebody may have taken the memory meanwhile, and may give it back. */
    static void remap(TargetPort target) throws GpuException, InterruptedException {
        long deadline = System.nanoTime() + MEMORY_WAIT.toNanos();
        while (true) {
            try {
                target.remap();
                return;
            } catch (GpuException e) {
                if (e.status() != GpuStatus.NO_DEVICE_MEMORY || System.nanoTime() > deadline) {
                    throw e;
                }
                Thread.sleep(MEMORY_POLL_MILLIS);
            }
        }
    }

    /** The workload goes on. */
    void gate() throws StageException, ProcessException {
        session.closeTarget(); // as above; and while memory is mapped, losing it opens the gate by itself
        try {
            TargetPort target = session.target(context);
            TargetState state = target.status().state();
            if (state != TargetState.RUNNING) {
                target.resume();
            }
            session.state(WorkloadInfo.State.RUNNING);
            context.remember(FrozenTree.NOBODY);
            context.recall(Pause.class).ifPresent(pause -> context.remember(pause.ending()));
        } catch (GpuException e) {
            if (context.recall(DeviceContent.class).isEmpty()) {
                // Nothing was released yet: the workload opens its own gate, however long it takes to notice.
                LOG.atWarn()
                        .addKeyValue("pid", session.process().pid())
                        .log("the workload does not answer, it goes on by itself: " + e.getMessage());
                context.remember(FrozenTree.NOBODY);
                return;
            }
            throw lost("its gate could not be opened: " + e.getMessage());
        }
    }

    StageException lost(String why) throws ProcessException {
        session.closeTarget();
        session.letGo();
        String reason = session.process() + " was ended: " + why;
        context.remember(new WorkloadLost(reason));
        session.endWorkload(context);
        return new StageException(FailureCode.WORKLOAD_LOST, reason);
    }
}
