package io.gpusnap.service.operation;

import io.gpusnap.service.platform.id.NodeId;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.springframework.context.event.ContextClosedEvent;
import org.springframework.context.event.EventListener;
import org.springframework.stereotype.Component;

/**
 * Wakes claims that wait in this process. It only saves time: a waiting claim also looks by itself now and then.
 */
@Component
class ClaimSignals {
    private final ConcurrentMap<NodeId, CountDownLatch> waiting = new ConcurrentHashMap<>();
    private final AtomicBoolean closing = new AtomicBoolean();

    /** To be taken before the look for work, so that no signal falls between the look and the wait. */
    CountDownLatch next(NodeId node) {
        return waiting.computeIfAbsent(node, one -> new CountDownLatch(1));
    }

    void signal(NodeId node) {
        CountDownLatch latch = waiting.remove(node);
        if (latch != null) {
            latch.countDown();
        }
    }

    void signalAll() {
        waiting.keySet().forEach(this::signal);
    }

    /** Whether the service is stopping; nobody should begin to wait then. */
    boolean isClosing() {
        return closing.get();
    }

    /** Lets the web server stop without waiting for every poll to run out. */
    @EventListener(ContextClosedEvent.class)
    void close() {
        closing.set(true);
        signalAll();
    }
}
