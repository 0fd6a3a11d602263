package io.gpusnap.node.tier.pack;

import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Small requests to a store, several at once. */
final class Together {

    private static final int THREADS = 8;

    private Together() {}

    /** What is asked of the store for one of them. */
    @FunctionalInterface
    interface Request<T> {
        void of(T item) throws TierException;
    }

    /**
     * @param name of the threads
     * @throws TierException the first failure in the order of the items; UNAVAILABLE when it was interrupted
     */
    static <T> void each(String name, Collection<T> items, Request<T> request) throws TierException {
        if (items.isEmpty()) {
            return;
        }
        try (ExecutorService threads = Executors.newFixedThreadPool(
                Math.min(THREADS, items.size()),
                Thread.ofPlatform().daemon().name(name + "-", 0).factory())) {
            List<Future<?>> running = new ArrayList<>();
            for (T item : items) {
                running.add(threads.submit(() -> {
                    request.of(item);
                    return item;
                }));
            }
            for (Future<?> one : running) {
                await(one);
            }
        }
    }

    private static void await(Future<?> one) throws TierException {
        try {
            one.get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof TierException tier) {
                throw tier;
            }
            throw new IllegalStateException("a request broke", e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new TierException(Reason.UNAVAILABLE, "interrupted while a store was asked", e);
        }
    }
}
