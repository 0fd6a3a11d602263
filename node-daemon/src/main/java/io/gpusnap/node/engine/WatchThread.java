package io.gpusnap.node.engine;

import java.time.Duration;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A thread that looks at something: at once when it starts, then each period. */
final class WatchThread implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(WatchThread.class);

    private final String name;
    private final Duration period;
    private final Consumer<BooleanSupplier> look;
    private volatile boolean closed;
    private @Nullable Thread thread;

    /** @param look gets what turns false when it is to end where it is */
    WatchThread(String name, Duration period, Consumer<BooleanSupplier> look) {
        this.name = name;
        this.period = period;
        this.look = look;
    }

    /** Once; nothing happens when it is closed by then. */
    synchronized void start() {
        if (thread == null && !closed) {
            thread = Thread.ofPlatform().daemon().name(name).start(this::watch);
        }
    }

    private void watch() {
        try {
            while (!closed) {
                look();
                Thread.sleep(period);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void look() {
        try {
            look.accept(() -> !closed);
        } catch (RuntimeException e) {
            // A mistake must not end the looks to come: what they are for stayed undone until a restart then.
            LOG.atError().setCause(e).log("{} could not look; it tries again", name);
        }
    }

    /** Returns when no look runs any more, nor will. */
    @Override
    public void close() {
        Thread running;
        synchronized (this) {
            closed = true;
            running = thread;
        }
        if (running == null) {
            return;
        }
        running.interrupt();
        boolean interrupted = false;
        while (running.isAlive()) {
            try {
                running.join();
            } catch (InterruptedException e) {
                interrupted = true; // a look ends soon: nobody may take from under it what it looks at
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
