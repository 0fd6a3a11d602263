package io.gpusnap.service.kubernetes.operator;

import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Keys that have to be looked at: each at most once in the queue, and in the hands of one worker at a time. What changes
 * while it is looked at is looked at again.
 */
final class WorkQueue {
    private static final Duration FIRST_RETRY = Duration.ofMillis(200);

    private record Later(Key key, long nanos) {}

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final LinkedHashSet<Key> waiting = new LinkedHashSet<>();
    private final Set<Key> working = new HashSet<>();
    private final Set<Key> again = new HashSet<>();
    private final PriorityQueue<Later> later = new PriorityQueue<>((a, b) -> Long.signum(a.nanos - b.nanos));
    private final Map<Key, Long> due = new HashMap<>();
    private final Map<Key, Integer> failures = new HashMap<>();
    private final Duration retryMost;
    private boolean closed;

    WorkQueue(Duration retryMost) {
        this.retryMost = retryMost;
    }

    void add(Key key) {
        lock.lock();
        try {
            if (working.contains(key)) {
                again.add(key);
            } else {
                waiting.add(key);
            }
            changed.signal();
        } finally {
            lock.unlock();
        }
    }

    /** The next one; empty once the queue is closed. */
    Optional<Key> take() throws InterruptedException {
        lock.lock();
        try {
            while (!closed) {
                ripen();
                if (!waiting.isEmpty()) {
                    Key key = waiting.removeFirst();
                    working.add(key);
                    return Optional.of(key);
                }
                if (later.isEmpty()) {
                    changed.await();
                } else {
                    changed.await(later.peek().nanos - System.nanoTime(), TimeUnit.NANOSECONDS);
                }
            }
            return Optional.empty();
        } finally {
            lock.unlock();
        }
    }

    /** It was looked at; once more after that time, if at all. */
    void done(Key key, Optional<Duration> after) {
        lock.lock();
        try {
            failures.remove(key);
            release(key);
            due.remove(key);
            after.ifPresent(wait -> schedule(key, wait));
        } finally {
            lock.unlock();
        }
    }

    /** It could not be dealt with: once more, twice as late each time. */
    void failed(Key key) {
        lock.lock();
        try {
            int before = failures.merge(key, 1, Integer::sum) - 1;
            long nanos = FIRST_RETRY.toNanos() << Math.min(before, 20);
            release(key);
            schedule(key, Duration.ofNanos(Math.min(nanos, retryMost.toNanos())));
        } finally {
            lock.unlock();
        }
    }

    void close() {
        lock.lock();
        try {
            closed = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Whether nobody works and nothing waits but for time. */
    boolean idle() {
        lock.lock();
        try {
            return waiting.isEmpty() && working.isEmpty();
        } finally {
            lock.unlock();
        }
    }

    private void release(Key key) {
        working.remove(key);
        if (again.remove(key)) {
            waiting.add(key);
        }
        changed.signal();
    }

    private void schedule(Key key, Duration wait) {
        long nanos = System.nanoTime() + wait.toNanos();
        due.put(key, nanos);
        later.add(new Later(key, nanos));
        changed.signal();
    }

    /** Only the latest appointment of a key counts. */
    private void ripen() {
        while (!later.isEmpty() && later.peek().nanos - System.nanoTime() <= 0) {
            Later ripe = later.remove();
            if (Long.valueOf(ripe.nanos).equals(due.get(ripe.key))) {
                due.remove(ripe.key);
                if (working.contains(ripe.key)) {
                    again.add(ripe.key);
                } else {
                    waiting.add(ripe.key);
                }
            }
        }
    }
}
