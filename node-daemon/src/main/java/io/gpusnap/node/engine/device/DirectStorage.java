package io.gpusnap.node.engine.device;

import io.gpusnap.gpu.GpuException;
import io.gpusnap.gpu.StorageInfo;
import io.gpusnap.node.engine.device.StoragePolicy.Use;
import java.util.Optional;

/**
 * Whether this node reads chunks straight from their files into device memory.
 *
 * @param reason what was found, or what is missing and how to get it
 */
public record DirectStorage(boolean used, String reason) {

    /** Starts cuFile where it will be used; it stays until the process ends. */
    public static DirectStorage probe(StoragePolicy policy, Optional<GpuPort> gpu, String gpuReason) {
        if (policy.use() == Use.NEVER) {
            return new DirectStorage(false, "switched off (storage.direct = never)");
        }
        if (gpu.isEmpty()) {
            return new DirectStorage(false, gpuReason);
        }
        try {
            StorageInfo found = gpu.get().storage(policy.use() == Use.ALWAYS, policy.cufile());
            boolean used = found.available() && (found.direct() || policy.use() == Use.ALWAYS);
            return new DirectStorage(used, used ? found.reason() : found.reason() + mend(policy, found));
        } catch (GpuException e) {
            return new DirectStorage(false, String.valueOf(e.getMessage()));
        }
    }

    private static String mend(StoragePolicy policy, StorageInfo found) {
        if (found.available()) {
            return " (storage.direct = always uses it all the same)";
        }
        return policy.use() == Use.ALWAYS
                ? " (install cuFile of the CUDA toolkit, or set storage.cufile to where it is)"
                : " (load it and install cuFile of the CUDA toolkit; storage.direct = always works without the module)";
    }
}
