package io.gpusnap.service.kubernetes.operator;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import io.gpusnap.service.kubernetes.KubernetesComponent;
import io.gpusnap.service.kubernetes.crd.Model;
import io.gpusnap.service.kubernetes.crd.PodSnapshot;
import io.gpusnap.service.kubernetes.crd.SnapshotContent;
import io.gpusnap.service.kubernetes.crd.SnapshotPolicy;
import io.gpusnap.service.kubernetes.start.PodNames;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** What the cluster has, as this leader has heard: one list and one watch a kind, and everything else is read from memory. */
@KubernetesComponent
class Watched {
    private static final String BY_NAMESPACE = "by-namespace";
    private static final String BY_MODEL = "by-model";
    private static final String BY_POLICY = "by-policy";
    private static final String BY_CONTENT = "by-content";

    private final KubernetesClient client;
    private volatile @Nullable Informers informers;

    Watched(KubernetesClient client) {
        this.client = client;
    }

    private record Informers(
            SharedIndexInformer<Pod> pods,
            SharedIndexInformer<SnapshotPolicy> policies,
            SharedIndexInformer<PodSnapshot> podSnapshots,
            SharedIndexInformer<SnapshotContent> contents,
            SharedIndexInformer<Model> models) {
        List<SharedIndexInformer<?>> all() {
            return List.of(pods, policies, podSnapshots, contents, models);
        }
    }

    /** Lists everything and goes on watching; done when all of it is known. */
    CompletableFuture<Void> start(Consumer<Key> changed) {
        Informers started = new Informers(
                Listening.informer(
                        client.pods().inAnyNamespace().withLabel(PodNames.MANAGED, "true"),
                        Map.of(BY_NAMESPACE, Listening::namespace),
                        (before, pod) -> changed.accept(Key.of(Key.Kind.POD, pod))),
                Listening.informer(
                        client.resources(SnapshotPolicy.class).inAnyNamespace(),
                        Map.of(BY_NAMESPACE, Listening::namespace, BY_MODEL, Watched::model),
                        (before, policy) -> {
                            changed.accept(Key.of(Key.Kind.POLICY, policy));
                            if (before == null || saysOtherwise(before, policy)) {
                                podsOf(policy.getMetadata().getNamespace(), changed);
                                model(policy).forEach(model -> changed.accept(Key.of(Key.Kind.DEMAND, model)));
                            }
                            if (before == policy) {
                                // it is gone: the model's name may be free for others
                                model(policy).forEach(model -> policiesOf(model, changed));
                            }
                        }),
                Listening.informer(
                        client.resources(PodSnapshot.class).inAnyNamespace(),
                        Map.of(BY_POLICY, Watched::policy, BY_CONTENT, Watched::content),
                        (before, snapshot) -> {
                            changed.accept(Key.of(Key.Kind.POD_SNAPSHOT, snapshot));
                            boolean ended = before != null
                                    && PodSnapshotReconciler.isOver(snapshot)
                                    && !PodSnapshotReconciler.isOver(before);
                            if (ended || snapshot.getMetadata().getDeletionTimestamp() != null) {
                                podsOf(snapshot.getMetadata().getNamespace(), changed);
                            }
                            String policy = snapshot.getSpec() == null
                                    ? null
                                    : snapshot.getSpec().policy();
                            if (policy != null) {
                                changed.accept(new Key(
                                        Key.Kind.POLICY, snapshot.getMetadata().getNamespace(), policy));
                            }
                        }),
                Listening.informer(client.resources(SnapshotContent.class), Map.of(), (before, content) -> {
                    changed.accept(Key.of(Key.Kind.CONTENT, content));
                    boundTo(content).forEach(bound -> changed.accept(Key.of(Key.Kind.POD_SNAPSHOT, bound)));
                }),
                Listening.informer(client.resources(Model.class), Map.of(), (before, model) -> {
                    changed.accept(Key.of(Key.Kind.MODEL, model));
                    List<String> was = before == null ? List.of() : ModelOwners.sharedWith(before);
                    List<String> is = before == model ? List.of() : ModelOwners.sharedWith(model);
                    if (!was.equals(is)) {
                        policiesOf(model.getMetadata().getName(), changed);
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

    Optional<Pod> pod(Key key) {
        return Optional.ofNullable(now().pods.getStore().getByKey(key.storeKey()));
    }

    Optional<Pod> pod(String namespace, String name) {
        return pod(new Key(Key.Kind.POD, namespace, name));
    }

    List<Pod> pods() {
        return now().pods.getStore().list();
    }

    Optional<SnapshotPolicy> policy(Key key) {
        return Optional.ofNullable(now().policies.getStore().getByKey(key.storeKey()));
    }

    List<SnapshotPolicy> policies() {
        return now().policies.getStore().list();
    }

    /** Of a namespace. */
    List<SnapshotPolicy> policies(String namespace) {
        return now().policies.getIndexer().byIndex(BY_NAMESPACE, namespace);
    }

    /** Of a model, in any namespace. */
    List<SnapshotPolicy> policiesOf(String model) {
        return now().policies.getIndexer().byIndex(BY_MODEL, model);
    }

    Optional<PodSnapshot> podSnapshot(Key key) {
        return Optional.ofNullable(now().podSnapshots.getStore().getByKey(key.storeKey()));
    }

    /** That a policy wanted, of its model: anybody may write its name into one of another model. */
    List<PodSnapshot> podSnapshots(SnapshotPolicy policy) {
        return now()
                .podSnapshots
                .getIndexer()
                .byIndex(
                        BY_POLICY,
                        policy.getMetadata().getNamespace() + "/"
                                + policy.getMetadata().getName())
                .stream()
                .filter(one -> policy.getSpec().model().equals(one.getSpec().model()))
                .toList();
    }

    Optional<SnapshotContent> content(String name) {
        return Optional.ofNullable(now().contents.getStore().getByKey(name));
    }

    Optional<Model> model(String name) {
        return Optional.ofNullable(now().models.getStore().getByKey(name));
    }

    List<Model> models() {
        return now().models.getStore().list();
    }

    private List<PodSnapshot> boundTo(SnapshotContent content) {
        Informers started = informers;
        return started == null
                ? List.of()
                : started.podSnapshots
                        .getIndexer()
                        .byIndex(BY_CONTENT, content.getMetadata().getName());
    }

    /** Others may have to do with the model by now. */
    private void policiesOf(String model, Consumer<Key> changed) {
        Informers started = informers;
        if (started != null) {
            started.policies.getIndexer().byIndex(BY_MODEL, model).forEach(policy -> {
                changed.accept(Key.of(Key.Kind.POLICY, policy));
                podsOf(policy.getMetadata().getNamespace(), changed);
            });
            changed.accept(Key.of(Key.Kind.DEMAND, model));
        }
    }

    /** A policy or a snapshot of theirs has changed: any of them may be the next to be frozen. */
    private void podsOf(String namespace, Consumer<Key> changed) {
        Informers started = informers;
        if (started != null) {
            started.pods
                    .getIndexer()
                    .byIndex(BY_NAMESPACE, namespace)
                    .forEach(pod -> changed.accept(Key.of(Key.Kind.POD, pod)));
        }
    }

    private static boolean saysOtherwise(SnapshotPolicy before, SnapshotPolicy now) {
        return !Objects.equals(before.getSpec(), now.getSpec());
    }

    private Informers now() {
        Informers started = informers;
        if (started == null) {
            throw new IllegalStateException("this instance does not lead");
        }
        return started;
    }

    private static List<String> model(SnapshotPolicy policy) {
        return policy.getSpec() == null ? List.of() : List.of(policy.getSpec().model());
    }

    private static List<String> policy(PodSnapshot snapshot) {
        String policy = snapshot.getSpec() == null ? null : snapshot.getSpec().policy();
        return policy == null ? List.of() : List.of(snapshot.getMetadata().getNamespace() + "/" + policy);
    }

    /** The content that it is bound to, and the one that it asks for. */
    private static List<String> content(PodSnapshot snapshot) {
        List<String> names = new ArrayList<>();
        if (snapshot.getStatus() != null && snapshot.getStatus().boundSnapshotContentName() != null) {
            names.add(snapshot.getStatus().boundSnapshotContentName());
        }
        if (snapshot.getSpec() != null && snapshot.getSpec().source().snapshotContentName() != null) {
            names.add(snapshot.getSpec().source().snapshotContentName());
        }
        return names.stream().distinct().toList();
    }
}
