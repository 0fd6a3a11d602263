package io.gpusnap.node.engine.device;

import io.gpusnap.gpu.GpuException;
import io.gpusnap.gpu.GpuStatus;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Driver calls on other processes, which the driver itself does not bound. A process whose call is not back in time is ended:
 * the call returns then, and a workload that is reported lost is better than a GPU on which nothing is done any more.
 */
final class DriverCalls {

    private static final Logger LOG = LoggerFactory.getLogger(DriverCalls.class);

    /** A process with much memory takes its time to end. */
    private static final Duration ENDING = Duration.ofSeconds(30);

    private final Duration limit;
    private final CountDownLatch clock;

    DriverCalls(Duration limit) {
        this(limit, new CountDownLatch(0));
    }

    /** @param clock when it is down, a call that is under way begins to be late */
    DriverCalls(Duration limit, CountDownLatch clock) {
        this.limit = limit;
        this.clock = clock;
    }

    @FunctionalInterface
    interface Call {
        void on(int pid) throws GpuException;
    }

    /** @throws GpuException the call's, or DRIVER when the process had to be ended */
    void run(String name, int pid, Call call) throws GpuException {
        AtomicBoolean late = new AtomicBoolean();
        Optional<ProcessHandle> process = ProcessHandle.of(pid);
        Thread watch = Thread.ofVirtual().name("driver-call-" + pid).start(() -> watch(name, process, late));
        try {
            call.on(pid);
        } catch (GpuException e) {
            throw late.get() ? tooLate(name, pid, String.valueOf(e.getMessage())) : e;
        } finally {
            watch.interrupt();
        }
        if (late.get()) {
            throw tooLate(name, pid, "it came to its end as the process was ended");
        }
    }

    private void watch(String name, Optional<ProcessHandle> process, AtomicBoolean late) {
        try {
            clock.await();
            Thread.sleep(limit);
            late.set(true);
            LOG.atError()
                    .addKeyValue("call", name)
                    .addKeyValue("pid", process.map(ProcessHandle::pid).orElse(-1L))
                    .addKeyValue("seconds", limit.toSeconds())
                    .log("the driver's call is not back in time (cuda.callLimitSeconds): its process is ended");
            // Of a process that ended meanwhile the number may be another's: the handle knows the one it is for.
            process.ifPresent(ProcessHandle::destroyForcibly);
            Thread.sleep(ENDING);
            LOG.atError()
                    .addKeyValue("call", name)
                    .log("the driver's call is not back although its process was ended: the machine needs a restart");
        } catch (InterruptedException answered) {
            Thread.currentThread().interrupt();
        }
    }

    private GpuException tooLate(String name, int pid, String what) {
        return new GpuException(
                GpuStatus.DRIVER,
                "%s of process %d was not back after %d s (cuda.callLimitSeconds), and the process was ended: %s"
                        .formatted(name, pid, limit.toSeconds(), what));
    }
}
