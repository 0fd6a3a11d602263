package io.gpusnap.service.kubernetes;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** The thread that a component works with from its start to its stop. It can be started again. */
public final class Background {
    private final String name;
    private volatile CountDownLatch stopping = new CountDownLatch(1);
    private volatile @Nullable Thread thread;

    /** @param name of the thread */
    public Background(String name) {
        this.name = name;
    }

    /** Work that goes on until {@link #endsWithin} says so or it is interrupted. */
    @FunctionalInterface
    public interface Work {
        void run() throws InterruptedException;
    }

    public void start(Work work) {
        stopping = new CountDownLatch(1);
        thread = Thread.ofVirtual().name(name).start(() -> {
            try {
                work.run();
            } catch (InterruptedException e) {
                // asked to end
            }
        });
    }

    /** Returns when the work has ended. */
    public void stop() {
        stopping.countDown();
        Thread running = thread;
        if (running != null) {
            running.interrupt();
            try {
                running.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            thread = null;
        }
    }

    public boolean isRunning() {
        return thread != null;
    }

    /** For the work: waits so long at most; whether it is to end. */
    public boolean endsWithin(Duration time) throws InterruptedException {
        return stopping.await(time.toNanos(), TimeUnit.NANOSECONDS);
    }
}
