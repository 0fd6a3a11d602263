package io.gpusnap.service.kubernetes.operator;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.Informable;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
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
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** What the cluster has, as this leader has heard: one list and one watch a kind, and everything else is read from memory. */
@KubernetesComponent
class Watched {
    private static final String BY_NAMESPACE = "by-namespace";
    private static final String BY_POLICY = "by-policy";
    private static final String BY_CONTENT = "by-content";

    private final KubernetesClient client;
    private volatile @Nullable Informers informers;

    Watched(KubernetesClient client) {
        this.client = client;
    }

    /** What was heard of a resource. */
    private interface Change<T> {
        /** @param before null of one that is new */
        void heard(@Nullable T before, T now);
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

    /** Lists everything and goes on watching; returns when all of it is known. */
    void start(Consumer<Key> changed) {
        Informers started = new Informers(
                informer(
                        client.pods().inAnyNamespace().withLabel(PodNames.MANAGED, "true"),
                        Map.of(BY_NAMESPACE, Watched::namespace),
                        (before, pod) -> changed.accept(Key.of(Key.Kind.POD, pod))),
                informer(
                        client.resources(SnapshotPolicy.class).inAnyNamespace(),
                        Map.of(BY_NAMESPACE, Watched::namespace),
                        (before, policy) -> {
                            changed.accept(Key.of(Key.Kind.POLICY, policy));
                            if (before == null || saysOtherwise(before, policy)) {
                                podsOf(policy.getMetadata().getNamespace(), changed);
                            }
                        }),
                informer(
                        client.resources(PodSnapshot.class).inAnyNamespace(),
                        Map.of(BY_POLICY, Watched::policy, BY_CONTENT, Watched::content),
                        (before, snapshot) -> {
                            changed.accept(Key.of(Key.Kind.POD_SNAPSHOT, snapshot));
                            boolean failed = before != null
                                    && PodSnapshotReconciler.hasFailed(snapshot)
                                    && !PodSnapshotReconciler.hasFailed(before);
                            if (failed || snapshot.getMetadata().getDeletionTimestamp() != null) {
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
                informer(client.resources(SnapshotContent.class), Map.of(), (before, content) -> {
                    changed.accept(Key.of(Key.Kind.CONTENT, content));
                    boundTo(content).forEach(bound -> changed.accept(Key.of(Key.Kind.POD_SNAPSHOT, bound)));
                }),
                informer(
                        client.resources(Model.class),
                        Map.of(),
                        (before, model) -> changed.accept(Key.of(Key.Kind.MODEL, model))));
        informers = started;
        CompletableFuture.allOf(started.all().stream()
                        .map(informer -> informer.start().toCompletableFuture())
                        .toArray(CompletableFuture[]::new))
                .join();
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

    Optional<SnapshotPolicy> policy(Key key) {
        return Optional.ofNullable(now().policies.getStore().getByKey(key.storeKey()));
    }

    /** Of a namespace. */
    List<SnapshotPolicy> policies(String namespace) {
        return now().policies.getIndexer().byIndex(BY_NAMESPACE, namespace);
    }

    Optional<PodSnapshot> podSnapshot(Key key) {
        return Optional.ofNullable(now().podSnapshots.getStore().getByKey(key.storeKey()));
    }

    /** That a policy wanted. */
    List<PodSnapshot> podSnapshots(SnapshotPolicy policy) {
        return now().podSnapshots
                .getIndexer()
                .byIndex(
                        BY_POLICY,
                        policy.getMetadata().getNamespace() + "/"
                                + policy.getMetadata().getName());
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

    private static List<String> namespace(HasMetadata resource) {
        return List.of(resource.getMetadata().getNamespace());
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

    private static <T extends HasMetadata> SharedIndexInformer<T> informer(
            Informable<T> of, Map<String, Function<T, List<String>>> indexes, Change<T> changed) {
        SharedIndexInformer<T> informer = of.runnableInformer(0);
        if (!indexes.isEmpty()) {
            informer.addIndexers(indexes);
        }
        // a cluster that is away for a while is asked again
        informer.exceptionHandler((started, failure) -> true);
        informer.addEventHandler(new ResourceEventHandler<>() {
            @Override
            public void onAdd(T resource) {
                changed.heard(null, resource);
            }

            @Override
            public void onUpdate(T before, T resource) {
                changed.heard(before, resource);
            }

            @Override
            public void onDelete(T resource, boolean stateUnknown) {
                changed.heard(resource, resource);
            }
        });
        return informer;
    }
}
