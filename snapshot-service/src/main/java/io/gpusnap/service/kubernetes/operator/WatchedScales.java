package io.gpusnap.service.kubernetes.operator;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.ReplicaSet;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.fabric8.kubernetes.api.model.autoscaling.v1.HorizontalPodAutoscaler;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import io.gpusnap.service.kubernetes.KubernetesComponent;
import io.gpusnap.service.kubernetes.start.PodNames;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Who decides how many pods there are: Deployments and their like that carry the label, and autoscalers. Autoscalers write their
 * status each time they look at a metric; only what they decide is heard.
 */
@KubernetesComponent
class WatchedScales {
    private static final String BY_NAMESPACE = "by-namespace";
    private static final String BY_TARGET = "by-target";

    private final KubernetesClient client;
    private final Policies policies;
    private volatile @Nullable Informers informers;

    WatchedScales(KubernetesClient client, Policies policies) {
        this.client = client;
        this.policies = policies;
    }

    private record Informers(
            SharedIndexInformer<Deployment> deployments,
            SharedIndexInformer<StatefulSet> statefulSets,
            SharedIndexInformer<ReplicaSet> replicaSets,
            SharedIndexInformer<HorizontalPodAutoscaler> autoscalers) {
        List<SharedIndexInformer<?>> all() {
            return List.of(deployments, statefulSets, replicaSets, autoscalers);
        }

        /** All that keep pods in the namespace. */
        Stream<Scaled> in(String namespace) {
            return Stream.<SharedIndexInformer<? extends HasMetadata>>of(deployments, statefulSets, replicaSets)
                    .flatMap(informer -> informer.getIndexer().byIndex(BY_NAMESPACE, namespace).stream())
                    .flatMap(resource -> Scaled.of(resource).stream());
        }
    }

    /**
     * Lists everything and goes on watching; done when all of it is known. {@link Watched} has been started before: a policy that is
     * known later than what it selects has its model looked at by itself.
     */
    CompletableFuture<Void> start(Consumer<Key> changed) {
        Map<String, String> managed = Map.of(PodNames.MANAGED, "true");
        Informers started = new Informers(
                Listening.informer(
                        client.apps().deployments().inAnyNamespace().withLabels(managed),
                        Map.of(BY_NAMESPACE, Listening::namespace),
                        (before, now) -> heard(before, now, changed)),
                Listening.informer(
                        client.apps().statefulSets().inAnyNamespace().withLabels(managed),
                        Map.of(BY_NAMESPACE, Listening::namespace),
                        (before, now) -> heard(before, now, changed)),
                Listening.informer(
                        client.apps().replicaSets().inAnyNamespace().withLabels(managed),
                        Map.of(BY_NAMESPACE, Listening::namespace),
                        (before, now) -> heard(before, now, changed)),
                Listening.informer(
                        client.autoscaling().v1().horizontalPodAutoscalers().inAnyNamespace(),
                        Map.of(BY_TARGET, WatchedScales::target),
                        (before, now) -> {
                            if (before == null || before == now || !said(before).equals(said(now))) {
                                heardOfTarget(now, changed);
                            }
                        }));
        informers = started;
        return Listening.start(started.all());
    }

    /** Kinds that are not known yet. */
    List<String> unknown() {
        return Listening.unknown(now().all());
    }

    void stop() {
        Informers started = informers;
        if (started != null) {
            started.all().forEach(SharedIndexInformer::stop);
            informers = null;
        }
    }

    /** What keeps pods with the label in the namespace. */
    List<Scaled> in(String namespace) {
        return now().in(namespace).toList();
    }

    /** So many pods are wanted of it: what it is told, or what its autoscaler will tell it. At zero autoscalers are off. */
    int wanted(Scaled scaled) {
        return scaled.replicas() == 0
                ? 0
                : now().autoscalers.getIndexer().byIndex(BY_TARGET, scaled.target()).stream()
                        .mapToInt(WatchedScales::decides)
                        .reduce(scaled.replicas(), Math::max);
    }

    private void heard(@Nullable HasMetadata before, HasMetadata now, Consumer<Key> changed) {
        Optional<Scaled> was = before == null ? Optional.empty() : Scaled.of(before);
        Optional<Scaled> is = Scaled.of(now);
        // of one that is gone both are the same object
        if (before == now || !was.equals(is)) {
            Stream.of(was, is).flatMap(Optional::stream).forEach(one -> tell(one, changed));
        }
    }

    private void heardOfTarget(HorizontalPodAutoscaler autoscaler, Consumer<Key> changed) {
        Informers started = informers;
        if (started != null) {
            List<String> target = target(autoscaler);
            started.in(autoscaler.getMetadata().getNamespace())
                    .filter(one -> target.contains(one.target()))
                    .forEach(one -> tell(one, changed));
        }
    }

    private void tell(Scaled scaled, Consumer<Key> changed) {
        policies.of(scaled.namespace(), scaled.podLabels())
                .ifPresent(policy ->
                        changed.accept(Key.of(Key.Kind.DEMAND, policy.getSpec().model())));
    }

    /** What of an autoscaler matters here. */
    private record Said(List<String> target, int replicas) {}

    private static Said said(HorizontalPodAutoscaler autoscaler) {
        return new Said(target(autoscaler), decides(autoscaler));
    }

    /** At least its lowest number, which it may not have told its target yet. */
    private static int decides(HorizontalPodAutoscaler autoscaler) {
        Integer least =
                autoscaler.getSpec() == null ? null : autoscaler.getSpec().getMinReplicas();
        Integer desired =
                autoscaler.getStatus() == null ? null : autoscaler.getStatus().getDesiredReplicas();
        return Math.max(Objects.requireNonNullElse(least, 0), Objects.requireNonNullElse(desired, 0));
    }

    private static List<String> target(HorizontalPodAutoscaler autoscaler) {
        if (autoscaler.getSpec() == null || autoscaler.getSpec().getScaleTargetRef() == null) {
            return List.of();
        }
        return List.of(Scaled.target(
                autoscaler.getMetadata().getNamespace(),
                autoscaler.getSpec().getScaleTargetRef().getKind(),
                autoscaler.getSpec().getScaleTargetRef().getName()));
    }

    private Informers now() {
        Informers started = informers;
        if (started == null) {
            throw new IllegalStateException("this instance does not lead");
        }
        return started;
    }
}
