package io.gpusnap.service.kubernetes.operator;

import io.fabric8.kubernetes.api.model.Pod;
import io.gpusnap.service.kubernetes.KubernetesComponent;
import io.gpusnap.service.kubernetes.start.PodNames;
import java.time.Duration;
import java.util.Optional;

/** A pod first starts, from a snapshot or cold; and once it is warm, it may have a snapshot taken of it. */
@KubernetesComponent
class PodReconciler implements Reconciler {
    private final Watched watched;
    private final PodStarts starts;
    private final FirstSnapshots firstSnapshots;

    PodReconciler(Watched watched, PodStarts starts, FirstSnapshots firstSnapshots) {
        this.watched = watched;
        this.starts = starts;
        this.firstSnapshots = firstSnapshots;
    }

    @Override
    public Key.Kind kind() {
        return Key.Kind.POD;
    }

    @Override
    public Optional<Duration> reconcile(Key key) {
        Optional<Pod> found = watched.pod(key);
        if (found.isEmpty()) {
            starts.gone(key.namespace(), key.name(), null);
            return Optional.empty();
        }
        Pod pod = found.get();
        boolean ending = pod.getMetadata().getDeletionTimestamp() != null
                || pod.getStatus() != null
                        && ("Succeeded".equals(pod.getStatus().getPhase())
                                || "Failed".equals(pod.getStatus().getPhase()));
        boolean waits = pod.getMetadata().getAnnotations().containsKey(PodNames.WAITS);
        if (ending) {
            if (waits) {
                starts.gone(key.namespace(), key.name(), null);
            }
            return Optional.empty();
        }
        if (waits) {
            Optional<Duration> again = starts.advance(pod);
            if (again.isPresent()) {
                return again;
            }
        }
        return firstSnapshots.consider(pod);
    }
}
