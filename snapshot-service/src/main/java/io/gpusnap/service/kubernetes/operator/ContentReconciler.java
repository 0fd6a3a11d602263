package io.gpusnap.service.kubernetes.operator;

import io.gpusnap.service.kubernetes.KubernetesComponent;
import io.gpusnap.service.kubernetes.cluster.Cluster;
import io.gpusnap.service.kubernetes.crd.Conditions;
import io.gpusnap.service.kubernetes.crd.Crd;
import io.gpusnap.service.kubernetes.crd.DeletionPolicy;
import io.gpusnap.service.kubernetes.crd.PodSnapshot;
import io.gpusnap.service.kubernetes.crd.SnapshotContent;
import io.gpusnap.service.kubernetes.crd.SnapshotContentStatus;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.platform.problem.ErrorCode;
import io.gpusnap.service.platform.transaction.DatabaseClock;
import io.gpusnap.service.platform.web.IfMatch;
import io.gpusnap.service.snapshot.Snapshot;
import io.gpusnap.service.snapshot.SnapshotCommands;
import io.gpusnap.service.snapshot.SnapshotState;
import io.gpusnap.service.snapshot.Snapshots;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;

/**
 * A snapshot of the catalogue has a SnapshotContent, whoever made it. A content that is deleted takes its snapshot with it
 * if its policy says so; with Retain it comes back, unbound, since the catalogue has the snapshot still.
 */
@KubernetesComponent
class ContentReconciler implements Reconciler {
    private static final Duration WHILE_IN_USE = Duration.ofSeconds(30);
    private static final IfMatch AS_IT_IS = new IfMatch("*");

    private final Watched watched;
    private final Cluster cluster;
    private final Saves saves;
    private final Snapshots snapshots;
    private final SnapshotCommands commands;
    private final DatabaseClock clock;

    ContentReconciler(
            Watched watched,
            Cluster cluster,
            Saves saves,
            Snapshots snapshots,
            SnapshotCommands commands,
            DatabaseClock clock) {
        this.watched = watched;
        this.cluster = cluster;
        this.saves = saves;
        this.snapshots = snapshots;
        this.commands = commands;
        this.clock = clock;
    }

    @Override
    public Key.Kind kind() {
        return Key.Kind.CONTENT;
    }

    @Override
    public Optional<Duration> reconcile(Key key) {
        Optional<SnapshotId> id = Contents.idOf(key.name());
        Optional<SnapshotContent> content = watched.content(key.name());
        if (id.isEmpty()) {
            content.ifPresent(this::strange);
            return Optional.empty();
        }
        Optional<Snapshot> snapshot = snapshots.find(id.get());
        boolean there = snapshot.isPresent() && snapshot.get().state() != SnapshotState.DELETED;
        if (content.isEmpty()) {
            // one that failed before it was ever seen is of no use to anybody
            if (there && snapshot.get().state() != SnapshotState.FAILED) {
                cluster.create(Contents.of(snapshot.get(), askedBy(id.get()).orElse(null)));
            }
            return Optional.empty();
        }
        SnapshotContent resource = content.get();
        boolean going = resource.getMetadata().getDeletionTimestamp() != null;
        if (!there) {
            if (!going) {
                cluster.delete(resource);
            }
            cluster.finalizer(resource, Crd.FINALIZER, false);
            return Optional.empty();
        }
        return going ? delete(resource, snapshot.get()) : keep(resource, snapshot.get());
    }

    private Optional<Duration> keep(SnapshotContent resource, Snapshot snapshot) {
        SnapshotContent kept = cluster.finalizer(resource, Crd.FINALIZER, true);
        cluster.status(kept, Contents.status(kept, snapshot, clock.now()));
        return Optional.empty();
    }

    private Optional<Duration> delete(SnapshotContent resource, Snapshot snapshot) {
        if (resource.getSpec().deletionPolicy() != DeletionPolicy.DELETE) {
            cluster.finalizer(resource, Crd.FINALIZER, false);
            return Optional.empty();
        }
        if (snapshot.state() == SnapshotState.DELETING) {
            return keep(resource, snapshot);
        }
        try {
            commands.delete(snapshot.id(), AS_IT_IS);
            return Optional.empty(); // the catalogue's change brings it back here
        } catch (ApiException e) {
            if (e.code() == ErrorCode.SNAPSHOT_NOT_FOUND) {
                return Optional.of(Duration.ZERO);
            }
            notReady(resource, "DeletionBlocked", e.code() + ": " + e.detail());
            return Optional.of(WHILE_IN_USE);
        }
    }

    /** Made by hand, of no snapshot that could be meant. */
    private void strange(SnapshotContent resource) {
        if (resource.getMetadata().getDeletionTimestamp() == null) {
            notReady(resource, "NameUnknown", "A content is called snapcontent- and the snapshot's id.");
        } else {
            cluster.finalizer(resource, Crd.FINALIZER, false);
        }
    }

    private void notReady(SnapshotContent resource, String reason, String message) {
        SnapshotContentStatus before = Objects.requireNonNullElse(resource.getStatus(), SnapshotContentStatus.EMPTY);
        Long generation = resource.getMetadata().getGeneration();
        cluster.status(
                resource,
                new SnapshotContentStatus(
                        generation,
                        false,
                        before.state(),
                        before.manifestDigest(),
                        before.sizeBytes(),
                        before.compatibilityClass(),
                        Conditions.with(
                                before.conditions(),
                                Conditions.READY,
                                false,
                                reason,
                                message,
                                generation,
                                clock.now())));
    }

    /** The PodSnapshot that it was taken for. */
    private Optional<PodSnapshot> askedBy(SnapshotId id) {
        return saves.of(id)
                .flatMap(save -> watched.podSnapshot(new Key(Key.Kind.POD_SNAPSHOT, save.namespace(), save.name())));
    }
}
