package io.gpusnap.node.engine;

import io.gpusnap.gpu.GpuException;
import io.gpusnap.gpu.StillThreads;
import io.gpusnap.node.engine.device.CudaProcesses;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.process.ProcessTree;
import io.gpusnap.node.transfer.Joining;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The driver gives processes their contexts back while what they will be given is still read. The threads in which it does run,
 * the others stand still: they are let go when all is verified, whether the driver has come to its end or not.
 */
final class DriverAhead implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(DriverAhead.class);

    private final ProcessTree tree;
    private final List<ProcessId> processes;
    private final List<StillThreads> still;
    private final CountDownLatch goOn = new CountDownLatch(1);
    private final FutureTask<Boolean> restore;
    private final Thread thread;

    private DriverAhead(
            ProcessTree tree,
            List<ProcessId> processes,
            List<StillThreads> still,
            CudaProcesses cuda,
            Map<String, String> uuidPairs) {
        this.tree = tree;
        this.processes = processes;
        this.still = still;
        this.restore = new FutureTask<>(() -> {
            cuda.restore(uuidPairs, goOn);
            return true;
        });
        this.thread = Thread.ofPlatform().daemon().name("driver-ahead").unstarted(restore);
    }

    /**
     * Nothing runs before {@link #begin}.
     *
     * @param processes those of `cuda`, stopped
     * @return empty where their threads cannot be held
     */
    static Optional<DriverAhead> prepare(
            ProcessTree tree, List<ProcessId> processes, CudaProcesses cuda, Map<String, String> uuidPairs) {
        List<StillThreads> still = new ArrayList<>();
        try {
            for (int pid : cuda.pids()) {
                still.add(cuda.gpu().still(pid));
            }
        } catch (GpuException e) {
            still.forEach(StillThreads::close);
            LOG.warn("the driver restores {} when all is read, not before: {}", cuda.pids(), e.getMessage());
            return Optional.empty();
        }
        return Optional.of(new DriverAhead(tree, processes, List.copyOf(still), cuda, uuidPairs));
    }

    void begin() {
        tree.resumeOnly(processes);
        thread.start();
    }

    /** From here on all of the processes runs. */
    void letGo() {
        goOn.countDown();
        still.forEach(StillThreads::close);
    }

    /** Waits until the driver has done it. */
    void restored() throws GpuException, InterruptedException {
        try {
            restore.get();
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case GpuException cause -> throw cause;
                case RuntimeException cause -> throw cause;
                case Error cause -> throw cause;
                case null, default -> throw new IllegalStateException("restoring broke", e);
            }
        }
    }

    /** Returns when the driver is no longer asked. Processes that were not let go have not run, and end here: they would. */
    @Override
    public void close() {
        if (goOn.getCount() > 0) {
            tree.kill(processes);
        }
        letGo();
        Joining.all(List.of(thread));
    }
}
