package io.gpusnap.node.tier.nfs;

import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Keeps a mount that hangs from hanging whoever calls. Each call runs on a thread of its own; one that is not back in time is
 * left behind, and from then on the mount is in trouble: calls fail at once, but for one at a time that looks whether it
 * answers again. A hanging system call cannot be ended, so calls that were left behind count, and their number is bounded.
 */
final class CallGuard {

    private final String mount;
    private final Duration deadline;
    private final long lookAgainNanos;
    private final Semaphore free;
    private @Nullable String trouble;
    private long troubledAt;

    CallGuard(NfsSettings settings) {
        this.mount = settings.root().toString();
        this.deadline = settings.deadline();
        this.lookAgainNanos = settings.lookAgain().toNanos();
        this.free = new Semaphore(settings.calls());
    }

    /** @throws IOException the call's own failure */
    <T> T call(String doing, Callable<T> call) throws IOException, TierException {
        admit();
        if (!acquire()) {
            throw troubled("no call to it has ended for " + deadline.toSeconds() + " s");
        }
        FutureTask<T> task = new FutureTask<>(call);
        Thread.ofPlatform().daemon().name("share-call").start(() -> {
            try {
                task.run();
            } finally {
                free.release();
            }
        });
        try {
            T result = task.get(deadline.toNanos(), TimeUnit.NANOSECONDS);
            recovered();
            return result;
        } catch (TimeoutException e) {
            task.cancel(true);
            throw troubled("it did not %s within %d ms".formatted(doing, deadline.toMillis()));
        } catch (InterruptedException e) {
            task.cancel(true);
            throw interrupted();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof IOException io) {
                throw io;
            }
            throw new IllegalStateException("a call to " + mount + " broke", e.getCause());
        }
    }

    private boolean acquire() throws TierException {
        try {
            return free.tryAcquire(deadline.toNanos(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            throw interrupted();
        }
    }

    private TierException interrupted() {
        Thread.currentThread().interrupt();
        return new TierException(Reason.UNAVAILABLE, "interrupted while " + mount + " was used");
    }

    private synchronized void admit() throws TierException {
        String why = trouble;
        if (why == null) {
            return;
        }
        if (System.nanoTime() - troubledAt < lookAgainNanos) {
            throw new TierException(Reason.UNAVAILABLE, mount + " is not used now: " + why);
        }
        troubledAt = System.nanoTime(); // this call looks, the others go on failing meanwhile
    }

    /** Marks the mount as not to be trusted. */
    synchronized TierException troubled(String why) {
        trouble = why;
        troubledAt = System.nanoTime();
        return new TierException(Reason.UNAVAILABLE, mount + ": " + why);
    }

    private synchronized void recovered() {
        trouble = null;
    }

    synchronized Optional<String> trouble() {
        return Optional.ofNullable(trouble);
    }
}
