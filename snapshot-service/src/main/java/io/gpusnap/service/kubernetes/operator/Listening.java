package io.gpusnap.service.kubernetes.operator;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.client.dsl.Informable;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Informers, as the operator has them: one list and one watch a kind, without looking at everything again by the clock. */
final class Listening {
    private Listening() {}

    /** What was heard of a resource. */
    interface Change<T> {
        /** @param before null of one that is new; of one that is gone the same as now */
        void heard(@Nullable T before, T now);
    }

    static <T extends HasMetadata> SharedIndexInformer<T> informer(
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

    /** Lists everything and goes on watching; done when all of it is known, which may be never. */
    static CompletableFuture<Void> start(List<? extends SharedIndexInformer<?>> informers) {
        return CompletableFuture.allOf(informers.stream()
                .map(informer -> informer.start().toCompletableFuture())
                .toArray(CompletableFuture[]::new));
    }

    /** Kinds that are not known yet. */
    static List<String> unknown(List<? extends SharedIndexInformer<?>> informers) {
        return informers.stream()
                .filter(informer -> !informer.hasSynced())
                .map(informer -> informer.getApiTypeClass().getSimpleName())
                .toList();
    }

    static List<String> namespace(HasMetadata resource) {
        return List.of(resource.getMetadata().getNamespace());
    }
}
