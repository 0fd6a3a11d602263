package io.gpusnap.node.engine.device;

import io.gpusnap.gpu.GpuException;
import io.gpusnap.gpu.StorageInfo;
import io.gpusnap.node.engine.device.StoragePolicy.Use;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Whether this node reads chunks straight from their files into device memory.
 *
 * @param reason what was found, or what is missing and how to get it
 */
public record DirectStorage(boolean used, String reason) {

    /**
     * Starts cuFile where it will be used; it stays until the process ends.
     *
     * @param framed why the store's files hold other bytes than chunks, which cuFile cannot undo; empty where they do not
     * @param folder of the store, in which a small file is tried
     * @param limit for all of it: cuFile bounds nothing itself, and a daemon that does not start serves nobody
     */
    public static DirectStorage probe(
            StoragePolicy policy, Optional<String> framed, GpuOpening opening, Path folder, Duration limit)
            throws InterruptedException {
        if (policy.use() == Use.NEVER) {
            return new DirectStorage(false, "switched off (storage.direct = never)");
        }
        if (opening.gpu().isEmpty()) {
            return new DirectStorage(false, opening.reason());
        }
        if (policy.use() == Use.AUTO && framed.isPresent()) {
            return new DirectStorage(
                    false,
                    "%s: cuFile cannot read them straight into device memory, and a thaw that waited for it would be slower (storage.direct = always uses it for chunks that lie there as they are)"
                            .formatted(framed.get()));
        }
        GpuPort gpu = opening.gpu().get();
        FutureTask<StorageInfo> look =
                new FutureTask<>(() -> gpu.storage(policy.use() == Use.ALWAYS, policy.cufile(), folder));
        Thread.ofPlatform().daemon().name("direct-storage").start(look);
        try {
            StorageInfo found = look.get(limit.toNanos(), TimeUnit.NANOSECONDS);
            boolean used = found.available() && (found.direct() || policy.use() == Use.ALWAYS);
            return new DirectStorage(used, found.reason() + (used ? slower(framed) : mend(policy, found)));
        } catch (TimeoutException e) {
            return new DirectStorage(
                    false,
                    "cuFile has not started within %d s (cuda.callLimitSeconds): it is not used until the daemon starts again (storage.direct = never leaves it out)"
                            .formatted(limit.toSeconds()));
        } catch (ExecutionException e) {
            if (e.getCause() instanceof GpuException failure) {
                return new DirectStorage(false, String.valueOf(failure.getMessage()));
            }
            throw new IllegalStateException("the look for cuFile broke", e);
        }
    }

    private static String slower(Optional<String> framed) {
        return framed.map(why ->
                        "; but %s: these come the ordinary way, and thaws are slower (storage.direct = auto leaves it out)"
                                .formatted(why))
                .orElse("");
    }

    private static String mend(StoragePolicy policy, StorageInfo found) {
        if (found.available()) {
            return " (storage.direct = always uses it all the same)";
        }
        return policy.use() == Use.ALWAYS
                ? " (cuFile is part of the CUDA toolkit; storage.cufile says where another one is)"
                : " (it takes that module and cuFile of the CUDA toolkit; storage.direct = always works without the module)";
    }
}
