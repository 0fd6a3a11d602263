package io.gpusnap.service.kubernetes.operator;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.ReplicaSet;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.gpusnap.service.kubernetes.start.PodNames;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Something that keeps a number of pods which gpusnap looks after.
 *
 * @param replicas that it is told to keep
 * @param podLabels of the pods that it makes
 */
record Scaled(String namespace, String kind, String name, int replicas, Map<String, String> podLabels) {

    /** Empty for what makes pods without the label, and for a ReplicaSet that is a Deployment's: that one counts. */
    static Optional<Scaled> of(HasMetadata resource) {
        return switch (resource) {
            case Deployment one
            when one.getSpec() != null ->
                of(one, one.getSpec().getReplicas(), one.getSpec().getTemplate());
            case StatefulSet one
            when one.getSpec() != null ->
                of(one, one.getSpec().getReplicas(), one.getSpec().getTemplate());
            case ReplicaSet one
            when one.getSpec() != null && !isOfADeployment(one) ->
                of(one, one.getSpec().getReplicas(), one.getSpec().getTemplate());
            default -> Optional.empty();
        };
    }

    private static Optional<Scaled> of(
            HasMetadata resource, @Nullable Integer replicas, @Nullable PodTemplateSpec template) {
        if (template == null
                || template.getMetadata() == null
                || template.getMetadata().getLabels() == null
                || !"true".equals(template.getMetadata().getLabels().get(PodNames.MANAGED))) {
            return Optional.empty();
        }
        return Optional.of(new Scaled(
                resource.getMetadata().getNamespace(),
                resource.getKind(),
                resource.getMetadata().getName(),
                // as an API server completes it
                replicas == null ? 1 : replicas,
                Map.copyOf(template.getMetadata().getLabels())));
    }

    private static boolean isOfADeployment(ReplicaSet set) {
        return Resources.controller(set)
                .map(OwnerReference::getKind)
                .filter("Deployment"::equals)
                .isPresent();
    }

    /** As an autoscaler names it. */
    String target() {
        return target(namespace, kind, name);
    }

    static String target(String namespace, String kind, String name) {
        return namespace + "/" + kind + "/" + name;
    }
}
