package io.gpusnap.service.kubernetes.operator;

import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.Pod;
import io.gpusnap.service.kubernetes.KubernetesComponent;
import io.gpusnap.service.kubernetes.KubernetesSettings;
import io.gpusnap.service.kubernetes.cluster.Cluster;
import io.gpusnap.service.kubernetes.crd.Conditions;
import io.gpusnap.service.kubernetes.crd.Crd;
import io.gpusnap.service.kubernetes.crd.DeletionPolicy;
import io.gpusnap.service.kubernetes.crd.PodSnapshot;
import io.gpusnap.service.kubernetes.crd.PodSnapshotSpec;
import io.gpusnap.service.kubernetes.crd.PodSnapshotStatus;
import io.gpusnap.service.kubernetes.crd.SnapshotContent;
import io.gpusnap.service.kubernetes.crd.SnapshotContentSpec;
import io.gpusnap.service.kubernetes.start.PodNames;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.platform.problem.ErrorCode;
import io.gpusnap.service.platform.transaction.DatabaseClock;
import io.gpusnap.service.snapshot.Snapshot;
import io.gpusnap.service.snapshot.SnapshotState;
import io.gpusnap.service.snapshot.Snapshots;
import io.gpusnap.service.workload.Workload;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Takes the snapshot that a PodSnapshot asks for, once, and tells what became of it; or binds a content that is there. */
@KubernetesComponent
class PodSnapshotReconciler implements Reconciler {
    /** What may be otherwise in a while. */
    private static final Set<ErrorCode> PASSING = Set.of(
            ErrorCode.WORKLOAD_BUSY,
            ErrorCode.WORKLOAD_NOT_RUNNING,
            ErrorCode.NODE_SILENT,
            ErrorCode.NODE_UNSCHEDULABLE);

    static final Duration SOON = Duration.ofSeconds(10);
    private static final String FAILED = "Failed";
    private static final String DELETED = "Deleted";

    private final Watched watched;
    private final Cluster cluster;
    private final Saves saves;
    private final Snapshots snapshots;
    private final PodProcesses processes;
    private final ModelOwners owners;
    private final KubernetesSettings settings;
    private final DatabaseClock clock;

    PodSnapshotReconciler(
            Watched watched,
            Cluster cluster,
            Saves saves,
            Snapshots snapshots,
            PodProcesses processes,
            ModelOwners owners,
            KubernetesSettings settings,
            DatabaseClock clock) {
        this.watched = watched;
        this.cluster = cluster;
        this.saves = saves;
        this.snapshots = snapshots;
        this.processes = processes;
        this.owners = owners;
        this.settings = settings;
        this.clock = clock;
    }

    /** Whether nothing will come of it any more. */
    static boolean hasFailed(PodSnapshot resource) {
        String reason = reason(resource);
        return FAILED.equals(reason) || "Quarantined".equals(reason);
    }

    private static String reason(PodSnapshot resource) {
        return resource.getStatus() == null
                ? ""
                : Conditions.find(resource.getStatus().conditions(), Conditions.READY)
                        .map(Condition::getReason)
                        .orElse("");
    }

    /** Whether nothing can start from it, now or later: it has failed, or its snapshot was deleted since. */
    static boolean isOver(PodSnapshot resource) {
        return hasFailed(resource) || DELETED.equals(reason(resource));
    }

    static boolean isReady(PodSnapshot resource) {
        return resource.getStatus() != null
                && Boolean.TRUE.equals(resource.getStatus().readyToUse());
    }

    @Override
    public Key.Kind kind() {
        return Key.Kind.POD_SNAPSHOT;
    }

    @Override
    public Optional<Duration> reconcile(Key key) {
        Optional<PodSnapshot> found = watched.podSnapshot(key);
        if (found.isEmpty()) {
            return Optional.empty();
        }
        PodSnapshot resource = found.get();
        if (resource.getMetadata().getDeletionTimestamp() != null) {
            return delete(resource);
        }
        PodSnapshot kept = cluster.finalizer(resource, Crd.FINALIZER, true);
        PodSnapshotSpec.Source source = kept.getSpec().source();
        return source.snapshotContentName() == null ? ofPod(kept) : ofContent(kept, source.snapshotContentName());
    }

    private Optional<Duration> ofPod(PodSnapshot resource) {
        Optional<SnapshotId> begun = saves.of(resource).map(Saves.Save::snapshot);
        if (begun.isEmpty()) {
            return hasFailed(resource) || isForeign(resource) ? Optional.empty() : begin(resource);
        }
        follow(resource, begun.get());
        return Optional.empty();
    }

    private Optional<Duration> begin(PodSnapshot resource) {
        PodSnapshotSpec.Source source = resource.getSpec().source();
        String podName = Objects.requireNonNull(source.podName());
        Optional<Pod> pod = watched.pod(resource.getMetadata().getNamespace(), podName)
                .filter(one -> source.podUid() == null
                        || source.podUid().equals(one.getMetadata().getUid()));
        if (pod.isEmpty()) {
            tell(
                    resource,
                    null,
                    FAILED,
                    "There is no pod " + podName + " that gpusnap looks after, or it is another one.");
            return Optional.empty();
        }
        Optional<Workload> process = processes.running(pod.get());
        if (process.isEmpty()) {
            return waits(
                    resource,
                    "WorkloadNotFound",
                    "No daemon reports a process of pod " + podName + ".",
                    "Only a pod that was made with the label " + PodNames.MANAGED
                            + "=true while the webhook answered has one that can be frozen: make the pod anew with it, and"
                            + " then another PodSnapshot.");
        }
        try {
            follow(resource, saves.begin(resource, process.get().id(), quiesceSeconds(resource)));
            return Optional.empty();
        } catch (ApiException e) {
            String why = e.code() + ": " + e.detail();
            if (PASSING.contains(e.code())) {
                return waits(resource, "Waiting", why, "Make another PodSnapshot once that is over.");
            }
            tell(resource, null, FAILED, why);
            return Optional.empty();
        }
    }

    /** For what may be otherwise in a while; and when it has not been for too long, for nothing any more. */
    private Optional<Duration> waits(PodSnapshot resource, String reason, String why, String mend) {
        if (waited(resource).compareTo(settings.snapshotPatience()) < 0) {
            tell(resource, null, reason, why);
            return Optional.of(SOON);
        }
        tell(
                resource,
                null,
                FAILED,
                why + " So it has been for " + settings.snapshotPatience().toSeconds() + " s. " + mend);
        return Optional.empty();
    }

    /** Since it was first said that it waits: while nobody leads, nobody looks. */
    private Duration waited(PodSnapshot resource) {
        return Optional.ofNullable(resource.getStatus())
                .flatMap(status -> Conditions.find(status.conditions(), Conditions.READY))
                .map(Condition::getLastTransitionTime)
                .map(since -> Duration.between(Instant.parse(since), clock.now()))
                .orElse(Duration.ZERO);
    }

    /** As the policy says that asked for it; null of one that a person asked for. */
    private @Nullable Integer quiesceSeconds(PodSnapshot resource) {
        return Optional.ofNullable(resource.getSpec().policy())
                .flatMap(name -> watched.policy(
                        new Key(Key.Kind.POLICY, resource.getMetadata().getNamespace(), name)))
                .map(policy -> policy.getSpec().quiesceOrDefault().timeout())
                .orElse(null);
    }

    private void follow(PodSnapshot resource, SnapshotId id) {
        Snapshot snapshot = snapshots.get(id);
        if (snapshot.state() == SnapshotState.DELETED) {
            tell(resource, snapshot, DELETED, "Snapshot " + id + " was deleted from the catalogue.");
            return;
        }
        // made by the reconciler of contents, bound to this one already
        watched.content(Contents.name(id))
                .filter(one -> one.getMetadata().getDeletionTimestamp() == null)
                .ifPresent(one -> bind(one, resource));
        tell(resource, snapshot, Contents.reason(snapshot), Contents.message(snapshot));
    }

    /** Whether its namespace may not have to do with the model: then it has failed. */
    private boolean isForeign(PodSnapshot resource) {
        Optional<String> objection = owners.objection(
                resource.getMetadata().getNamespace(), resource.getSpec().model());
        objection.ifPresent(why -> tell(resource, null, FAILED, why));
        return objection.isPresent();
    }

    private Optional<Duration> ofContent(PodSnapshot resource, String name) {
        if (isForeign(resource)) {
            return Optional.empty();
        }
        Optional<SnapshotContent> content =
                watched.content(name).filter(one -> one.getMetadata().getDeletionTimestamp() == null);
        Optional<SnapshotId> id = content.flatMap(one -> Contents.idOf(name));
        if (id.isEmpty()) {
            tell(resource, null, "ContentNotFound", "There is no SnapshotContent called " + name + ".");
            return Optional.empty();
        }
        SnapshotContentSpec spec = content.get().getSpec();
        if (!spec.model().equals(resource.getSpec().model())
                || !spec.version().equals(resource.getSpec().version())) {
            tell(resource, null, FAILED, "Content " + name + " is of " + spec.model() + " " + spec.version() + ".");
            return Optional.empty();
        }
        if (spec.podSnapshotRef() != null && !spec.podSnapshotRef().equals(Contents.reference(resource))) {
            tell(resource, null, FAILED, "Content " + name + " is bound to another PodSnapshot.");
            return Optional.empty();
        }
        follow(resource, id.get());
        return Optional.empty();
    }

    private void bind(SnapshotContent content, PodSnapshot resource) {
        SnapshotContentSpec spec = content.getSpec();
        SnapshotContentSpec wanted = new SnapshotContentSpec(
                spec.snapshotId(),
                spec.model(),
                spec.version(),
                Contents.deletionPolicy(resource),
                Contents.reference(resource));
        if (!wanted.equals(spec)) {
            SnapshotContent bound = Resources.copy(content);
            bound.setSpec(wanted);
            cluster.patch(content, bound);
        }
    }

    private Optional<Duration> delete(PodSnapshot resource) {
        PodSnapshotStatus status = Objects.requireNonNullElse(resource.getStatus(), PodSnapshotStatus.EMPTY);
        String name = status.boundSnapshotContentName();
        Optional<SnapshotContent> content = Optional.ofNullable(name)
                .flatMap(watched::content)
                .filter(one -> Contents.reference(resource).equals(one.getSpec().podSnapshotRef()));
        if (Contents.deletionPolicy(resource) == DeletionPolicy.DELETE && content.isPresent()) {
            if (content.get().getMetadata().getDeletionTimestamp() == null) {
                bind(content.get(), resource);
                cluster.delete(content.get());
            }
            return Optional.empty(); // the end of the content brings it back here
        }
        cluster.finalizer(resource, Crd.FINALIZER, false);
        saves.forget(resource);
        return Optional.empty();
    }

    private void tell(PodSnapshot resource, @Nullable Snapshot snapshot, String reason, String message) {
        PodSnapshotStatus before = Objects.requireNonNullElse(resource.getStatus(), PodSnapshotStatus.EMPTY);
        boolean ready = snapshot != null && snapshot.state() == SnapshotState.READY;
        Long generation = resource.getMetadata().getGeneration();
        cluster.status(
                resource,
                new PodSnapshotStatus(
                        generation,
                        snapshot == null ? before.snapshotId() : snapshot.id().toString(),
                        snapshot == null ? before.boundSnapshotContentName() : Contents.name(snapshot.id()),
                        ready,
                        Conditions.with(
                                before.conditions(),
                                Conditions.READY,
                                ready,
                                reason,
                                message,
                                generation,
                                clock.now())));
    }
}
