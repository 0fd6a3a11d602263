package io.gpusnap.node.operation;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** A request to stop, and whether it still counts: past a point of no return it does not. */
final class Cancellation {

    record Request(FailureCode code, String reason) {}

    private final AtomicReference<Request> request = new AtomicReference<>();
    private final CountDownLatch requested = new CountDownLatch(1);
    private volatile boolean closed;
    private @Nullable Thread waiting;

    /** The first request wins. */
    void request(FailureCode code, String reason) {
        request.compareAndSet(null, new Request(code, reason));
        requested.countDown();
        interrupt();
    }

    /** From now on a request interrupts this thread, one that is there at once. */
    synchronized void interruptsMe() {
        waiting = Thread.currentThread();
        interrupt();
    }

    /** No more; an interrupt that a request has left is taken back, as undoing has to be able to wait. */
    synchronized void interruptsNobody() {
        waiting = null;
        if (current().isPresent()) {
            Thread.interrupted();
        }
    }

    private synchronized void interrupt() {
        Thread thread = waiting;
        if (thread != null && current().isPresent()) {
            thread.interrupt();
        }
    }

    /** From now on no request counts. */
    void close() {
        closed = true;
    }

    Optional<Request> current() {
        return closed ? Optional.empty() : Optional.ofNullable(request.get());
    }

    void check() {
        current().ifPresent(r -> {
            throw new OperationCancelledException(r.reason());
        });
    }

    /** Waits between attempts; a request that counts ends the wait. */
    void sleep(Duration duration) throws InterruptedException {
        if (closed) {
            Thread.sleep(duration);
        } else if (requested.await(duration.toNanos(), TimeUnit.NANOSECONDS)) {
            check();
        }
    }
}
