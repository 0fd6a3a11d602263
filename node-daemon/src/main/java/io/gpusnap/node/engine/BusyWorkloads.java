package io.gpusnap.node.engine;

import io.gpusnap.node.process.ProcessId;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Workloads that an operation is working on: their preload must not be asked by anybody else meanwhile. Thread-safe. */
final class BusyWorkloads {

    private final Map<ProcessId, WorkloadInfo.State> states = new ConcurrentHashMap<>();

    void set(ProcessId process, WorkloadInfo.State state) {
        states.put(process, state);
    }

    void clear(ProcessId process) {
        states.remove(process);
    }

    Map<ProcessId, WorkloadInfo.State> all() {
        return Map.copyOf(states);
    }
}
