package io.gpusnap.service.kubernetes.operator;

import io.fabric8.kubernetes.client.KubernetesClientException;
import io.gpusnap.service.kubernetes.KubernetesComponent;
import io.gpusnap.service.kubernetes.KubernetesSettings;
import io.gpusnap.service.kubernetes.cluster.Cluster;
import io.gpusnap.service.kubernetes.crd.SnapshotPolicy;
import io.gpusnap.service.kubernetes.crd.SnapshotPolicyStatus;
import java.time.Duration;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Has the shared tier's claim archived, and all policies say how that stands. */
@KubernetesComponent
class ArchiveReconciler implements Reconciler {
    private static final Logger LOG = LoggerFactory.getLogger(ArchiveReconciler.class);
    private static final Duration WHILE_GOOD = Duration.ofMinutes(5);
    private static final Duration WHILE_NOT = Duration.ofSeconds(30);

    private final KubernetesSettings settings;
    private final Archives archives;
    private final ArchiveCondition condition;
    private final Watched watched;
    private final Cluster cluster;

    ArchiveReconciler(
            KubernetesSettings settings,
            Archives archives,
            ArchiveCondition condition,
            Watched watched,
            Cluster cluster) {
        this.settings = settings;
        this.archives = archives;
        this.condition = condition;
        this.watched = watched;
        this.cluster = cluster;
    }

    @Override
    public Key.Kind kind() {
        return Key.Kind.ARCHIVE;
    }

    @Override
    public Optional<Duration> reconcile(Key key) {
        String claim = settings.archive().claim();
        Optional<Duration> again = Optional.empty();
        if (claim != null) {
            Archives.Verdict verdict = archives.look(claim);
            if (condition.set(verdict)) {
                LOG.info("archive of the shared tier: {}: {}", verdict.reason(), verdict.message());
            }
            Duration wait = verdict.good() ? WHILE_GOOD : WHILE_NOT;
            Duration next = archives.untilNext();
            again = Optional.of(next.compareTo(wait) < 0 ? next : wait);
        }
        watched.policies().forEach(this::tell);
        return again;
    }

    /** A policy without a status is about to get one, and one that has changed meanwhile is looked at: both get this then. */
    private void tell(SnapshotPolicy policy) {
        SnapshotPolicyStatus status = policy.getStatus();
        if (status == null || policy.getMetadata().getDeletionTimestamp() != null) {
            return;
        }
        try {
            cluster.status(
                    policy,
                    new SnapshotPolicyStatus(
                            status.observedGeneration(),
                            status.tierPolicy(),
                            status.latestSnapshot(),
                            condition.in(status.conditions(), status.observedGeneration())));
        } catch (KubernetesClientException e) {
            if (!Cluster.lostRace(e)) {
                throw e;
            }
        }
    }
}
