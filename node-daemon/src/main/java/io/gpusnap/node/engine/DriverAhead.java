package io.gpusnap.node.engine;

import io.gpusnap.gpu.GpuException;
import io.gpusnap.gpu.StillThreads;
import io.gpusnap.node.engine.device.CudaProcesses;
import io.gpusnap.node.transfer.Joining;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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

    private final List<StillThreads> still;
    private final FutureTask<Boolean> restore;
    private final Thread thread;

    private DriverAhead(List<StillThreads> still, CudaProcesses cuda, Map<String, String> uuidPairs) {
        this.still = still;
        this.restore = new FutureTask<>(() -> {
            cuda.restore(uuidPairs);
            return true;
        });
        this.thread = Thread.ofPlatform().daemon().name("driver-ahead").unstarted(restore);
    }

    /**
     * Begins at once.
     *
     * @param cuda stopped processes
     * @param goOn lets them go on, all but what stands still
     * @return empty where their threads cannot be held: nothing has begun then
     */
    static Optional<DriverAhead> begin(CudaProcesses cuda, Map<String, String> uuidPairs, Runnable goOn) {
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
        DriverAhead begun = new DriverAhead(List.copyOf(still), cuda, uuidPairs);
        goOn.run();
        begun.thread.start();
        return Optional.of(begun);
    }

    /** From here on all of the processes runs. */
    void letGo() {
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

    /** Of processes that have ended, or that may go on. Returns when the driver is no longer asked. */
    @Override
    public void close() {
        letGo();
        Joining.all(List.of(thread));
    }
}
