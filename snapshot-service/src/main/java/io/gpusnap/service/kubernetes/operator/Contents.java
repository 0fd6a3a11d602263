package io.gpusnap.service.kubernetes.operator;

import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.gpusnap.service.kubernetes.crd.Conditions;
import io.gpusnap.service.kubernetes.crd.Crd;
import io.gpusnap.service.kubernetes.crd.DeletionPolicy;
import io.gpusnap.service.kubernetes.crd.PodSnapshot;
import io.gpusnap.service.kubernetes.crd.SnapshotContent;
import io.gpusnap.service.kubernetes.crd.SnapshotContentSpec;
import io.gpusnap.service.kubernetes.crd.SnapshotContentStatus;
import io.gpusnap.service.operation.Completion;
import io.gpusnap.service.operation.Failure;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.snapshot.Snapshot;
import io.gpusnap.service.snapshot.SnapshotState;
import java.time.Instant;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** SnapshotContents as they should be. */
final class Contents {
    private static final String PREFIX = "snapcontent-";

    private Contents() {}

    static String name(SnapshotId id) {
        return PREFIX + id;
    }

    /** The snapshot that a content of this name stands for; empty for a name that is none of ours. */
    static Optional<SnapshotId> idOf(String name) {
        try {
            return name.startsWith(PREFIX)
                    ? Optional.of(SnapshotId.of(name.substring(PREFIX.length())))
                    : Optional.empty();
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    /** @param bound to it; absent of what REST callers made */
    static SnapshotContent of(Snapshot snapshot, @Nullable PodSnapshot bound) {
        SnapshotContent content = new SnapshotContent();
        content.setMetadata(new ObjectMetaBuilder()
                .withName(name(snapshot.id()))
                .addToLabels("app.kubernetes.io/managed-by", "gpusnap")
                .addToFinalizers(Crd.FINALIZER)
                .build());
        content.setSpec(new SnapshotContentSpec(
                snapshot.id().toString(),
                snapshot.modelName(),
                snapshot.versionName(),
                bound == null ? DeletionPolicy.RETAIN : deletionPolicy(bound),
                bound == null ? null : reference(bound)));
        return content;
    }

    static DeletionPolicy deletionPolicy(PodSnapshot bound) {
        DeletionPolicy policy = bound.getSpec().deletionPolicy();
        return policy == null ? DeletionPolicy.RETAIN : policy;
    }

    static SnapshotContentSpec.PodSnapshotRef reference(PodSnapshot bound) {
        return new SnapshotContentSpec.PodSnapshotRef(
                bound.getMetadata().getNamespace(),
                bound.getMetadata().getName(),
                bound.getMetadata().getUid());
    }

    static SnapshotContentStatus status(SnapshotContent content, Snapshot snapshot, Instant now) {
        boolean ready = snapshot.state() == SnapshotState.READY;
        SnapshotContentStatus before = content.getStatus();
        Long generation = content.getMetadata().getGeneration();
        return new SnapshotContentStatus(
                generation,
                ready,
                snapshot.state().name(),
                snapshot.manifestDigest().map(digest -> "sha256:" + digest).orElse(null),
                snapshot.totals().map(Completion.Totals::logicalBytes).orElse(null),
                snapshot.classKey().orElse(null),
                Conditions.with(
                        before == null ? null : before.conditions(),
                        Conditions.READY,
                        ready,
                        reason(snapshot),
                        message(snapshot),
                        generation,
                        now));
    }

    /** In CamelCase: Creating, Ready, Failed… */
    static String reason(Snapshot snapshot) {
        String name = snapshot.state().name();
        return name.charAt(0) + name.substring(1).toLowerCase(Locale.ROOT);
    }

    static String message(Snapshot snapshot) {
        return snapshot.failure()
                .map(Contents::text)
                .orElseGet(() -> "Snapshot " + snapshot.id() + " is " + snapshot.state() + ".");
    }

    private static String text(Failure failure) {
        return failure.code() + ": " + failure.detail();
    }
}
