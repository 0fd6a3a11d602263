package io.gpusnap.service.kubernetes.operator;

import io.gpusnap.service.forecast.Demand;
import io.gpusnap.service.kubernetes.KubernetesComponent;
import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.platform.problem.ErrorCode;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/**
 * Tells the demand for a model what the cluster wants of it, at each change and while it holds. It calls the database and never the
 * API server.
 */
@KubernetesComponent
class DemandReconciler implements Reconciler {
    /** A wish that nobody repeats is forgotten: by scalers after five minutes, by default. */
    private static final Duration REPEAT = Duration.ofMinutes(2);

    private final Watched watched;
    private final WatchedScales scales;
    private final Policies policies;
    private final ModelOwners owners;
    private final Demand demand;
    /** Models that this instance has spoken of: of others, somebody else may. */
    private final Set<String> told = ConcurrentHashMap.newKeySet();

    DemandReconciler(Watched watched, WatchedScales scales, Policies policies, ModelOwners owners, Demand demand) {
        this.watched = watched;
        this.scales = scales;
        this.policies = policies;
        this.owners = owners;
        this.demand = demand;
    }

    @Override
    public Key.Kind kind() {
        return Key.Kind.DEMAND;
    }

    @Override
    public Optional<Duration> reconcile(Key key) {
        String model = key.name();
        List<Scaled> all = scaled(model).toList();
        if (all.isEmpty()) {
            if (told.remove(model)) {
                tell(model, 0);
            }
            return Optional.empty();
        }
        tell(model, all.stream().mapToInt(scales::wanted).sum());
        told.add(model);
        return Optional.of(REPEAT);
    }

    /** Of all namespaces: it is one model, whoever runs it. */
    private Stream<Scaled> scaled(String model) {
        return watched.policiesOf(model).stream()
                .filter(policy -> owners.objection(policy.getMetadata().getNamespace(), model)
                        .isEmpty())
                .flatMap(policy -> scales.in(policy.getMetadata().getNamespace()).stream()
                        .filter(one -> Policies.selects(policy, one.podLabels()))
                        .filter(one -> policies.of(one.namespace(), one.podLabels())
                                .filter(first -> first.getMetadata()
                                        .getName()
                                        .equals(policy.getMetadata().getName()))
                                .isPresent()));
    }

    /** A model is made with its first snapshot. Before that there is nothing that could be brought anywhere. */
    private void tell(String model, int replicas) {
        try {
            demand.wanted(model, replicas);
        } catch (ApiException e) {
            if (e.code() != ErrorCode.MODEL_NOT_FOUND) {
                throw e;
            }
        }
    }
}
