package io.gpusnap.node.tier.nfs;

import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import io.gpusnap.node.tier.blob.Hanging;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Keeps a mount that hangs from hanging whoever calls. Each call runs on a thread of its own; one that is not back in time is
 * left behind, and from then on the mount is in trouble: calls fail at once, but for one at a time that looks whether it
 * answers again. A hanging system call cannot be ended, so calls that were left behind count, and their number is bounded.
 */
final class CallGuard {

    private final String mount;
    private final Duration deadline;
    private final Semaphore free;
    private final Hanging hanging;

    CallGuard(NfsSettings settings) {
        this.mount = settings.root().toString();
        this.deadline = settings.deadline();
        this.free = new Semaphore(settings.calls());
        this.hanging = new Hanging(mount, settings.lookAgain());
    }

    /** @throws IOException the call's own failure */
    <T> T call(String doing, Callable<T> call) throws IOException, TierException {
        hanging.admit();
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
            hanging.answered();
            return result;
        } catch (TimeoutException e) {
            task.cancel(true);
            throw troubled("it did not %s within %d ms".formatted(doing, deadline.toMillis()));
        } catch (InterruptedException e) {
            task.cancel(true);
            throw interrupted();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof IOException io) {
                if (io instanceof NoSuchFileException) {
                    hanging.answered(); // that is one: who only asks for what is not there must not keep it in trouble
                }
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

    /** Marks the mount as not to be trusted. */
    TierException troubled(String why) {
        return hanging.found(why);
    }

    Optional<String> trouble() {
        return hanging.reason();
    }
}
