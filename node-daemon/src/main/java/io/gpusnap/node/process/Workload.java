package io.gpusnap.node.process;

import java.util.List;

/**
 * A process that carries {@code GPUSNAP_WORKLOAD} in its environment, and whose parent does not.
 *
 * @param name the variable's value; of a process of a pod whose value is a pod's UID, the UID of its own pod
 * @param preloadPath the mapped libgpusnap-preload.so; "" when it was started without
 * @param socketPath the preload's socket as this process reaches it; it need not exist
 */
public record Workload(
        ProcessId process,
        String name,
        String executable,
        List<String> commandLine,
        String preloadPath,
        String socketPath) {

    public boolean isPreloaded() {
        return !preloadPath.isEmpty();
    }
}
