package io.gpusnap.service.kubernetes.operator;

import io.gpusnap.service.kubernetes.Background;
import io.gpusnap.service.kubernetes.KubernetesComponent;
import io.gpusnap.service.kubernetes.KubernetesSettings;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;

/** Leads if nobody else does: watches, works and follows the catalogue while the lease is its own. */
@KubernetesComponent
class Operator implements SmartLifecycle {
    private static final Logger LOG = LoggerFactory.getLogger(Operator.class);
    private static final int RENEWALS_A_LEASE = 3;

    private final KubernetesSettings settings;
    private final Leadership leadership;
    private final Watched watched;
    private final WatchedScales scales;
    private final CatalogueFollower follower;
    private final Map<Key.Kind, Reconciler> reconcilers;
    private final String holder;
    private final Background background = new Background("kubernetes-operator");
    private volatile @Nullable Reign reign;

    Operator(
            KubernetesSettings settings,
            Leadership leadership,
            Watched watched,
            WatchedScales scales,
            CatalogueFollower follower,
            List<Reconciler> reconcilers) {
        this.settings = settings;
        this.leadership = leadership;
        this.watched = watched;
        this.scales = scales;
        this.follower = follower;
        this.reconcilers = new EnumMap<>(Key.Kind.class);
        reconcilers.forEach(one -> this.reconcilers.put(one.kind(), one));
        this.holder = host() + " " + UUID.randomUUID();
    }

    @Override
    public void start() {
        background.start(this::run);
    }

    @Override
    public void stop() {
        background.stop();
    }

    @Override
    public boolean isRunning() {
        return background.isRunning();
    }

    /** Whether this instance leads and has nothing to do but wait. */
    boolean idle() {
        Reign current = reign;
        return current != null && current.idle();
    }

    private void run() throws InterruptedException {
        Duration wait = settings.lease().dividedBy(RENEWALS_A_LEASE);
        while (!background.endsWithin(wait.dividedBy(10))) {
            long asked = System.nanoTime();
            OptionalLong epoch = take();
            if (epoch.isPresent()) {
                lead(epoch.getAsLong(), asked);
            } else if (background.endsWithin(wait)) {
                return;
            }
        }
    }

    /** Until the lease is lost or the service ends. */
    private void lead(long epoch, long taken) throws InterruptedException {
        LOG.info("this instance runs the Kubernetes operator, epoch {}", epoch);
        Reign mine = new Reign(settings, watched, scales, follower, reconcilers, taken);
        reign = mine;
        try {
            mine.begin();
            Duration wait = settings.lease().dividedBy(RENEWALS_A_LEASE);
            while (!background.endsWithin(mine.works(wait) ? wait : Duration.ZERO)) {
                long asked = System.nanoTime();
                OptionalLong still = take();
                if (still.isPresent() && still.getAsLong() == epoch) {
                    mine.renewed(asked);
                } else if (still.isPresent() || mine.over()) {
                    LOG.warn("this instance has lost the lease of the Kubernetes operator");
                    return;
                }
            }
        } catch (RuntimeException e) {
            LOG.warn("the Kubernetes operator cannot begin: {}", e.toString());
        } finally {
            reign = null;
            mine.end();
            release();
        }
    }

    private OptionalLong take() {
        try {
            return leadership.take(holder);
        } catch (RuntimeException e) {
            LOG.warn("the lease of the Kubernetes operator cannot be asked for: {}", e.toString());
            return OptionalLong.empty();
        }
    }

    private void release() {
        boolean interrupted = Thread.interrupted();
        try {
            leadership.release(holder);
        } catch (RuntimeException e) {
            LOG.info("the lease of the Kubernetes operator runs out by itself: {}", e.toString());
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static String host() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            return Arrays.toString(InetAddress.getLoopbackAddress().getAddress());
        }
    }
}
