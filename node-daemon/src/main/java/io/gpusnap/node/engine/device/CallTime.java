package io.gpusnap.node.engine.device;

import io.gpusnap.gpu.GpuException;
import java.util.function.LongSupplier;

/**
 * How long at least one of several calls was running. What comes between them does not count, such as waiting for what is to be
 * copied; nor does a second call beside the first. Thread-safe.
 */
final class CallTime {

    @FunctionalInterface
    interface Call<T> {
        T make() throws GpuException;
    }

    private final LongSupplier nanoTime;
    private int running;
    private long since;
    private long nanos;

    /** @param nanoTime as {@link System#nanoTime} */
    CallTime(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
    }

    /** Makes a call that counts, whatever comes of it. */
    <T> T of(Call<T> call) throws GpuException {
        begin();
        try {
            return call.make();
        } finally {
            end();
        }
    }

    private synchronized void begin() {
        if (running == 0) {
            since = nanoTime.getAsLong();
        }
        running++;
    }

    private synchronized void end() {
        running--;
        if (running == 0) {
            nanos += nanoTime.getAsLong() - since;
        }
    }

    /** While no call is running. */
    synchronized double seconds() {
        return nanos / 1e9;
    }
}
