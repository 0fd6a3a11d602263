package io.gpusnap.service.kubernetes.operator;

import io.fabric8.kubernetes.client.KubernetesClientException;
import io.gpusnap.service.kubernetes.KubernetesSettings;
import io.gpusnap.service.kubernetes.cluster.Cluster;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
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
    private CompletableFuture<Void> known = new CompletableFuture<>();
    private List<String> missing = List.of();
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

    /** Has everything listed, and does not wait for it: until it is known, and that may take long, the lease has to be renewed. */
    void begin() {
        known = CompletableFuture.allOf(watched.start(queue::add), scales.start(queue::add));
    }

    /**
     * Whether everything is known and worked at. If not, waits so long at most, and begins to work when it is.
     *
     * @throws RuntimeException if it cannot be listed
     */
    boolean works(Duration limit) throws InterruptedException {
        if (!begun && isKnown(limit)) {
            work();
        }
        return begun;
    }

    private boolean isKnown(Duration limit) throws InterruptedException {
        try {
            known.get(limit.toNanos(), TimeUnit.NANOSECONDS);
            return true;
        } catch (TimeoutException e) {
            sayWhatIsMissing();
            return false;
        } catch (ExecutionException e) {
            throw new IllegalStateException(e.getCause());
        }
    }

    /** Once, unless it is something else by now. */
    private void sayWhatIsMissing() {
        List<String> unknown = Stream.concat(watched.unknown().stream(), scales.unknown().stream())
                .toList();
        if (!unknown.equals(missing)) {
            LOG.warn(
                    "the Kubernetes operator waits for the API server to list {}: are the definitions installed, and may the service"
                            + " list them?",
                    unknown);
            missing = unknown;
        }
    }

    private void work() {
        follower.begin();
        for (int i = 0; i < settings.workers(); i++) {
            threads.add(Thread.ofVirtual().name("kubernetes-worker-" + i).start(this::reconcile));
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

    private void reconcile() {
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
