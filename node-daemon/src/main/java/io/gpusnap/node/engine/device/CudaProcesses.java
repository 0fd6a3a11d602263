package io.gpusnap.node.engine.device;

import io.gpusnap.gpu.GpuException;
import io.gpusnap.gpu.ProcessState;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;

/**
 * The processes of one workload that use CUDA, as one: for the driver each is frozen by itself, and for us they are frozen
 * together. Each verb is done to those that it is still to be done to, so it may be repeated.
 *
 * @param pids at least one; in the same order at every save and thaw of a workload
 * @param callLimit for what the driver does to one process
 */
public record CudaProcesses(GpuPort gpu, List<Integer> pids, Duration callLimit) {

    public CudaProcesses {
        pids = List.copyOf(pids);
        if (pids.isEmpty()) {
            throw new IllegalArgumentException("a workload without a process");
        }
    }

    private void those(Set<ProcessState> states, String name, DriverCalls.Call call) throws GpuException {
        those(states, name, call, new DriverCalls(callLimit));
    }

    private void those(Set<ProcessState> states, String name, DriverCalls.Call call, DriverCalls calls)
            throws GpuException {
        for (int pid : pids) {
            if (states.contains(gpu.state(pid))) {
                calls.run(name, pid, call);
            }
        }
    }

    /** That of the process which is furthest from running. */
    public ProcessState state() throws GpuException {
        Set<ProcessState> states = EnumSet.noneOf(ProcessState.class);
        for (int pid : pids) {
            states.add(gpu.state(pid));
        }
        for (ProcessState state : List.of(ProcessState.FAILED, ProcessState.CHECKPOINTED, ProcessState.LOCKED)) {
            if (states.contains(state)) {
                return state;
            }
        }
        return ProcessState.RUNNING;
    }

    public boolean all(ProcessState state) throws GpuException {
        for (int pid : pids) {
            if (gpu.state(pid) != state) {
                return false;
            }
        }
        return true;
    }

    public void lock(Duration timeout) throws GpuException {
        long deadline = System.nanoTime() + timeout.toNanos();
        those(
                EnumSet.of(ProcessState.RUNNING),
                "lock",
                pid -> gpu.lock(pid, Duration.ofNanos(Math.max(1_000_000, deadline - System.nanoTime()))));
    }

    public void checkpoint() throws GpuException {
        those(EnumSet.of(ProcessState.LOCKED), "checkpoint", gpu::checkpoint);
    }

    /** @param uuidPairs from and to, of every GPU that the processes can open, used or not; empty when they are the same */
    public void restore(Map<String, String> uuidPairs) throws GpuException {
        restore(uuidPairs, new CountDownLatch(0));
    }

    /**
     * The same while their other threads stand still, which may have what the driver waits for.
     *
     * @param goOn is down when all of them may run: from then on it is counted how long the driver takes
     */
    public void restore(Map<String, String> uuidPairs, CountDownLatch goOn) throws GpuException {
        those(
                EnumSet.of(ProcessState.CHECKPOINTED),
                "restore",
                pid -> gpu.restore(pid, uuidPairs),
                new DriverCalls(callLimit, goOn));
    }

    public void unlock() throws GpuException {
        those(EnumSet.of(ProcessState.LOCKED), "unlock", gpu::unlock);
    }

    /** Connects to their preloads. */
    public TargetPort open(Duration timeout) throws GpuException {
        List<TargetPort> members = new ArrayList<>();
        try {
            for (int pid : pids) {
                members.add(gpu.open(pid, timeout));
            }
            return members.size() == 1 ? members.getFirst() : new TreeTarget(members);
        } catch (GpuException | RuntimeException e) {
            members.forEach(TargetPort::close);
            throw e;
        }
    }
}
