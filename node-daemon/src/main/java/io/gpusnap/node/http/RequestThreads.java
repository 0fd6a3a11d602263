package io.gpusnap.node.http;

import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Threads for the JDK's HTTP server, one a request. A request that is not over in time, from its first byte to the last of its
 * answer, is interrupted: that closes its connection whatever its thread waits for there, be it a client that sends slowly or one
 * that reads slowly. The server's own limits ({@code sun.net.httpserver.maxRspTime}) would wait for the TLS stream that the thread
 * is stuck in, and with a lock that every other request needs.
 */
public final class RequestThreads implements Executor, AutoCloseable {

    private static final long AGAIN_MILLIS = 1000;
    private static final String MOST_CONNECTIONS = "jdk.httpserver.maxConnections";

    private final Duration limit;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("request-limit").factory());

    /**
     * To be made before the server is: connections are bounded then, those without a request too. That is for the whole process,
     * and read when its first server is made.
     *
     * @param limit of one request
     */
    public RequestThreads(Duration limit) {
        this.limit = limit;
        if (System.getProperty(MOST_CONNECTIONS) == null) {
            System.setProperty(MOST_CONNECTIONS, "1024");
        }
    }

    @Override
    public void execute(Runnable request) {
        threads.execute(() -> {
            Thread own = Thread.currentThread();
            // Again and again: what one interrupt ended may be followed by another wait, such as that for the last
            // bytes to go.
            Future<?> end =
                    clock.scheduleWithFixedDelay(own::interrupt, limit.toMillis(), AGAIN_MILLIS, TimeUnit.MILLISECONDS);
            try {
                request.run();
            } finally {
                end.cancel(false);
            }
        });
    }

    @Override
    public void close() {
        clock.shutdownNow();
        threads.shutdownNow();
    }
}
