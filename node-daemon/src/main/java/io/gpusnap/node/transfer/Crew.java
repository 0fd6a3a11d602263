package io.gpusnap.node.transfer;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;

/**
 * A fixed number of platform threads that work through submitted items. The first failure stops the rest: it is what
 * {@link #check} and {@link #finish} throw, later ones are attached to it. Closing ends the threads whatever they do, and
 * returns when none of them runs any more, so memory that they used may go.
 *
 * <p>The queue has no bound of its own: items hold slots of a pool, and the pool is the bound.
 *
 * @param <T> an item
 * @param <X> the checked failure that a task may have
 */
public final class Crew<T, X extends Exception> implements AutoCloseable {

    /** What one thread does with an item. Each thread has a task of its own, with its own buffers. */
    @FunctionalInterface
    public interface Task<T, X extends Exception> {
        void run(T item) throws X, InterruptedException;
    }

    private final Class<X> failureType;
    /** Empty: the thread that takes it ends. */
    private final LinkedBlockingQueue<Optional<T>> queue = new LinkedBlockingQueue<>();

    private final List<Thread> threads = new ArrayList<>();
    private final AtomicReference<Throwable> failure = new AtomicReference<>();

    public Crew(String name, int size, Class<X> failureType, Supplier<Task<T, X>> tasks) {
        this.failureType = failureType;
        for (int i = 0; i < size; i++) {
            Task<T, X> task = tasks.get();
            threads.add(Thread.ofPlatform().daemon().name(name + "-" + i).start(() -> work(task)));
        }
    }

    /** Works through all items and returns when they are done. */
    public static <T, X extends Exception> void each(
            String name, int size, Class<X> failureType, Collection<T> items, Supplier<Task<T, X>> tasks)
            throws X, InterruptedException {
        if (items.isEmpty()) {
            return;
        }
        try (Crew<T, X> crew = new Crew<>(name, Math.min(size, items.size()), failureType, tasks)) {
            items.forEach(crew::submit);
            crew.finish();
        }
    }

    public void submit(T item) {
        queue.add(Optional.of(item));
    }

    /** @throws X the first failure, if there was one */
    public void check() throws X {
        Throwable first = failure.get();
        if (first == null) {
            return;
        }
        if (failureType.isInstance(first)) {
            throw failureType.cast(first);
        }
        switch (first) {
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            default -> throw new IllegalStateException("a worker was interrupted", first);
        }
    }

    /** No more items: waits until all are done. */
    public void finish() throws X, InterruptedException {
        dismiss();
        for (Thread thread : threads) {
            thread.join();
        }
        check();
    }

    private void dismiss() {
        threads.forEach(thread -> queue.add(Optional.empty()));
    }

    private void work(Task<T, X> task) {
        try {
            Optional<T> item = queue.take();
            while (item.isPresent() && failure.get() == null) {
                task.run(item.get());
                item = queue.take();
            }
        } catch (Throwable e) {
            Throwable first = failure.compareAndExchange(null, e);
            if (first != null && first != e) {
                first.addSuppressed(e);
            }
            dismiss();
        }
    }

    @Override
    public void close() {
        failure.compareAndSet(null, new InterruptedException("closed before it was finished"));
        threads.forEach(Thread::interrupt);
        Joining.all(threads);
    }
}
