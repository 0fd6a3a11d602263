package io.gpusnap.service.kubernetes.operator;

import io.fabric8.kubernetes.client.KubernetesClientException;
import io.gpusnap.service.kubernetes.KubernetesSettings;
import io.gpusnap.service.kubernetes.cluster.Cluster;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The time in which this instance leads: its queue and its threads. */
final class Reign {
    private static final Logger LOG = LoggerFactory.getLogger(Reign.class);

    private final KubernetesSettings settings;
    private final Watched watched;
    private final WatchedScales scales;
    private final CatalogueFollower follower;
    private final Map<Key.Kind, Reconciler> reconcilers;
    private final WorkQueue queue;
    private final List<Thread> threads = new ArrayList<>();
    private final CountDownLatch ended = new CountDownLatch(1);
    private volatile long renewedAt;
    private volatile boolean begun;

    /** @param taken when the lease was asked for, as {@link System#nanoTime} counts */
    Reign(
            KubernetesSettings settings,
            Watched watched,
            WatchedScales scales,
            CatalogueFollower follower,
            Map<Key.Kind, Reconciler> reconcilers,
            long taken) {
        this.settings = settings;
        this.watched = watched;
        this.scales = scales;
        this.follower = follower;
        this.reconcilers = reconcilers;
        this.queue = new WorkQueue(settings.retryMost());
        this.renewedAt = taken;
    }

    void begin() {
        watched.start(queue::add);
        scales.start(queue::add);
        for (int i = 0; i < settings.workers(); i++) {
            threads.add(Thread.ofVirtual().name("kubernetes-worker-" + i).start(this::work));
        }
        threads.add(Thread.ofVirtual().name("kubernetes-follower").start(this::follow));
        begun = true;
    }

    void renewed(long asked) {
        renewedAt = asked;
    }

    /** Whether the lease has run out, by this machine's own monotonic clock: then nothing more is begun. */
    boolean over() {
        return System.nanoTime() - renewedAt > settings.lease().toNanos();
    }

    boolean idle() {
        return begun && follower.caughtUp() && queue.idle();
    }

    void end() {
        ended.countDown();
        queue.close();
        boolean interrupted = Thread.interrupted();
        for (Thread thread : threads) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        scales.stop();
        watched.stop();
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void work() {
        try {
            for (Optional<Key> next = queue.take(); next.isPresent(); next = queue.take()) {
                if (over()) {
                    queue.failed(next.get());
                } else {
                    reconcile(next.get());
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void reconcile(Key key) {
        try {
            Reconciler reconciler = reconcilers.get(key.kind());
            queue.done(key, reconciler == null ? Optional.empty() : reconciler.reconcile(key));
        } catch (KubernetesClientException e) {
            if (!Cluster.lostRace(e)) {
                LOG.warn("{} is tried again: {}", key, e.getMessage());
            }
            queue.failed(key);
        } catch (RuntimeException e) {
            LOG.warn("{} is tried again", key, e);
            queue.failed(key);
        }
    }

    private void follow() {
        follower.begin();
        try {
            do {
                try {
                    follower.follow(queue::add);
                } catch (RuntimeException e) {
                    LOG.warn("the catalogue cannot be followed: {}", e.toString());
                }
            } while (!ended.await(settings.followInterval().toMillis(), TimeUnit.MILLISECONDS));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
