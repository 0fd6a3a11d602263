package io.gpusnap.node.tier.s3;

import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.AtomicReferenceArray;
import software.amazon.awssdk.core.exception.SdkException;

/** Runs the pieces of one call side by side, of all calls together as many as there are connections. */
final class Parallel {

    /** One piece. */
    @FunctionalInterface
    interface Piece<T, R> {
        R of(T item) throws TierException;
    }

    private final Semaphore connections;

    Parallel(int connections) {
        this.connections = new Semaphore(connections);
    }

    /**
     * Returns when no piece runs any more, however it ends: memory that they used may go. The first failure stops the others.
     *
     * @throws SdkException of the first piece that failed, if it failed so
     */
    <T, R> List<R> map(List<T> items, Piece<T, R> piece) throws TierException {
        AtomicReferenceArray<R> results = new AtomicReferenceArray<>(items.size());
        AtomicReference<Throwable> failure = new AtomicReference<>();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < items.size(); i++) {
            int place = i;
            threads.add(Thread.ofVirtual().name("s3-" + place).unstarted(() -> {
                try {
                    connections.acquire();
                    try {
                        if (failure.get() == null) {
                            results.set(place, piece.of(items.get(place)));
                        }
                    } finally {
                        connections.release();
                    }
                } catch (Throwable e) {
                    if (failure.compareAndSet(null, e)) {
                        threads.forEach(Thread::interrupt);
                    }
                }
            }));
        }
        threads.forEach(Thread::start);
        join(threads, failure);
        rethrow(failure.get());
        List<R> all = new ArrayList<>();
        for (int i = 0; i < items.size(); i++) {
            all.add(results.get(i));
        }
        return all;
    }

    private static void join(List<Thread> threads, AtomicReference<Throwable> failure) {
        boolean interrupted = false;
        for (Thread thread : threads) {
            while (thread.isAlive()) {
                try {
                    thread.join();
                } catch (InterruptedException e) {
                    interrupted = true;
                    failure.compareAndSet(null, e);
                    threads.forEach(Thread::interrupt);
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private static void rethrow(@org.jspecify.annotations.Nullable Throwable failure) throws TierException {
        switch (failure) {
            case null -> {}
            case TierException e -> throw e;
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            default -> throw new TierException(Reason.IO, "interrupted", failure);
        }
    }
}
