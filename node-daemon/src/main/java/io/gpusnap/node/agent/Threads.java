package io.gpusnap.node.agent;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The agent's virtual threads: what breaks in one is logged, and all can be interrupted at the end. */
final class Threads {

    private static final Logger LOG = LoggerFactory.getLogger(Threads.class);

    interface Body {
        void run() throws InterruptedException;
    }

    private final Set<Thread> alive = ConcurrentHashMap.newKeySet();

    Thread start(String name, Body body) {
        Thread thread = Thread.ofVirtual().name(name).unstarted(() -> {
            try {
                body.run();
            } catch (InterruptedException e) {
                // The agent stops: there is nobody left to tell.
                Thread.currentThread().interrupt();
            } catch (RuntimeException | Error e) {
                LOG.error("the agent's thread {} broke", name, e);
            } finally {
                alive.remove(Thread.currentThread());
            }
        });
        alive.add(thread);
        thread.start();
        return thread;
    }

    void interruptAll() {
        alive.forEach(Thread::interrupt);
    }
}
