package io.gpusnap.service.kubernetes.operator;

import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.gpusnap.service.kubernetes.KubernetesComponent;
import io.gpusnap.service.kubernetes.cluster.Cluster;
import io.gpusnap.service.kubernetes.crd.Conditions;
import io.gpusnap.service.kubernetes.crd.Crd;
import io.gpusnap.service.kubernetes.crd.DeletionPolicy;
import io.gpusnap.service.kubernetes.crd.Model;
import io.gpusnap.service.kubernetes.crd.ModelSpec;
import io.gpusnap.service.kubernetes.crd.ModelStatus;
import io.gpusnap.service.model.Models;
import io.gpusnap.service.platform.page.PageQuery;
import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.platform.transaction.DatabaseClock;
import io.gpusnap.service.platform.web.IfMatch;
import io.gpusnap.service.version.Alias;
import io.gpusnap.service.version.Aliases;
import io.gpusnap.service.version.ModelVersions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;

/**
 * A model of the catalogue has a Model, and the other way round. Who changes a Model's spec changes the catalogue's entry;
 * what the catalogue knows besides is in its status.
 */
@KubernetesComponent
class ModelReconciler implements Reconciler {
    private static final Duration WHILE_REFUSED = Duration.ofSeconds(30);
    private static final IfMatch AS_IT_IS = new IfMatch("*");

    private final Watched watched;
    private final Cluster cluster;
    private final Models models;
    private final ModelVersions versions;
    private final Aliases aliases;
    private final ModelOwners owners;
    private final ModelShares shares;
    private final DatabaseClock clock;

    ModelReconciler(
            Watched watched,
            Cluster cluster,
            Models models,
            ModelVersions versions,
            Aliases aliases,
            ModelOwners owners,
            ModelShares shares,
            DatabaseClock clock) {
        this.watched = watched;
        this.cluster = cluster;
        this.models = models;
        this.versions = versions;
        this.aliases = aliases;
        this.owners = owners;
        this.shares = shares;
        this.clock = clock;
    }

    @Override
    public Key.Kind kind() {
        return Key.Kind.MODEL;
    }

    @Override
    public Optional<Duration> reconcile(Key key) {
        Optional<io.gpusnap.service.model.Model> entry = models.find(key.name());
        Optional<Model> resource = watched.model(key.name());
        shares.keep(key.name(), resource.map(ModelOwners::sharedWith).orElse(List.of()));
        if (resource.isEmpty()) {
            entry.ifPresentOrElse(this::show, () -> owners.forget(key.name()));
            return Optional.empty();
        }
        Model model = resource.get();
        if (model.getMetadata().getDeletionTimestamp() != null) {
            return delete(model, entry.isPresent());
        }
        Model kept = cluster.finalizer(model, Crd.FINALIZER, true);
        try {
            write(kept, entry.isPresent());
            cluster.status(kept, status(kept));
        } catch (ApiException e) {
            refused(kept, "Refused", e);
            return Optional.of(WHILE_REFUSED);
        }
        return Optional.empty();
    }

    private void show(io.gpusnap.service.model.Model entry) {
        Model model = new Model();
        model.setMetadata(new ObjectMetaBuilder()
                .withName(entry.name())
                .addToLabels("app.kubernetes.io/managed-by", "gpusnap")
                .addToFinalizers(Crd.FINALIZER)
                .build());
        model.setSpec(ModelSpec.EMPTY);
        cluster.create(model);
    }

    /** A spec is written once; what REST callers change later stays until somebody changes the spec again. */
    private void write(Model resource, boolean there) {
        ModelSpec spec = Objects.requireNonNullElse(resource.getSpec(), ModelSpec.EMPTY);
        if (!there) {
            models.create(
                    resource.getMetadata().getName(),
                    Objects.requireNonNullElse(spec.description(), ""),
                    Objects.requireNonNullElse(spec.labels(), Map.of()));
            return;
        }
        Long seen = resource.getStatus() == null ? null : resource.getStatus().observedGeneration();
        boolean says = spec.description() != null || spec.labels() != null;
        if (says && !Objects.equals(seen, resource.getMetadata().getGeneration())) {
            models.change(resource.getMetadata().getName(), spec.description(), spec.labels(), AS_IT_IS);
        }
    }

    private ModelStatus status(Model resource) {
        String name = resource.getMetadata().getName();
        ModelStatus before = Objects.requireNonNullElse(resource.getStatus(), ModelStatus.EMPTY);
        Map<String, String> standFor = new TreeMap<>();
        for (Alias alias : aliases.list(name, PageQuery.of("aliases", PageQuery.MAX_SIZE, null))
                .items()) {
            standFor.put(alias.name(), alias.versionName());
        }
        int count = versions.list(name, PageQuery.of("versions", PageQuery.MAX_SIZE, null))
                .items()
                .size();
        Long generation = resource.getMetadata().getGeneration();
        return new ModelStatus(
                generation,
                count,
                standFor.isEmpty() ? null : standFor,
                Conditions.with(
                        before.conditions(),
                        Conditions.READY,
                        true,
                        "InCatalogue",
                        "Model " + name + " is in the catalogue.",
                        generation,
                        clock.now()));
    }

    private Optional<Duration> delete(Model resource, boolean there) {
        ModelSpec spec = Objects.requireNonNullElse(resource.getSpec(), ModelSpec.EMPTY);
        if (there && spec.deletionPolicy() == DeletionPolicy.DELETE) {
            try {
                models.delete(resource.getMetadata().getName(), AS_IT_IS);
            } catch (ApiException e) {
                refused(resource, "DeletionBlocked", e);
                return Optional.of(WHILE_REFUSED);
            }
        }
        cluster.finalizer(resource, Crd.FINALIZER, false);
        return Optional.empty();
    }

    private void refused(Model resource, String reason, ApiException why) {
        ModelStatus before = Objects.requireNonNullElse(resource.getStatus(), ModelStatus.EMPTY);
        Long generation = resource.getMetadata().getGeneration();
        cluster.status(
                resource,
                new ModelStatus(
                        generation,
                        before.versions(),
                        before.aliases(),
                        Conditions.with(
                                before.conditions(),
                                Conditions.READY,
                                false,
                                reason,
                                why.code() + ": " + why.detail(),
                                generation,
                                clock.now())));
    }
}
