package io.gpusnap.service.kubernetes.operator;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.LabelSelector;
import io.fabric8.kubernetes.api.model.LabelSelectorRequirement;
import io.fabric8.kubernetes.api.model.Pod;
import io.gpusnap.service.kubernetes.KubernetesComponent;
import io.gpusnap.service.kubernetes.crd.SnapshotPolicy;
import io.gpusnap.service.kubernetes.crd.SnapshotPolicySpec;
import io.gpusnap.service.kubernetes.start.PodNames;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** Which policy a pod is under, and what the policy means for it. Everything is in memory. */
@KubernetesComponent
class Policies {
    private static final int LONGEST_NAME = 63;
    private static final int DIGITS_OF_A_DIGEST = 12;

    private final Watched watched;

    Policies(Watched watched) {
        this.watched = watched;
    }

    /** Of several the first by name. */
    Optional<SnapshotPolicy> of(Pod pod) {
        return of(pod.getMetadata().getNamespace(), pod.getMetadata().getLabels());
    }

    /** The same for a pod that would have these labels. */
    Optional<SnapshotPolicy> of(String namespace, Map<String, String> labels) {
        return watched.policies(namespace).stream()
                .filter(policy -> selects(policy, labels))
                .min(Comparator.comparing(policy -> policy.getMetadata().getName()));
    }

    /** The container with the GPU process. */
    static Optional<Container> container(SnapshotPolicySpec policy, Pod pod) {
        String annotated = pod.getMetadata().getAnnotations().get(PodNames.CONTAINER);
        String name = annotated == null ? policy.container() : annotated;
        return pod.getSpec().getContainers().stream()
                .filter(container -> name == null || name.equals(container.getName()))
                .findFirst();
    }

    /** As the policy says; or else as the image's digest or tag says, and what the container is told to run in it. */
    static String version(SnapshotPolicySpec policy, Container container) {
        if (policy.version() != null) {
            return policy.version();
        }
        String told = "-" + ToldToRun.digest(container);
        String image = image(Objects.requireNonNullElse(container.getImage(), ""));
        return image.substring(0, Math.min(LONGEST_NAME - told.length(), image.length())) + told;
    }

    private static String image(String image) {
        int digest = image.indexOf('@');
        if (digest >= 0) {
            String hex = image.substring(image.indexOf(':', digest) + 1);
            return "sha256-" + hex.substring(0, Math.min(DIGITS_OF_A_DIGEST, hex.length()));
        }
        int tag = image.indexOf(':', image.lastIndexOf('/') + 1);
        return tag < 0 ? "latest" : label(image.substring(tag + 1));
    }

    /** The image, if it has a digest: then it says which one it is. */
    static Optional<String> pinnedImage(Container container) {
        return Optional.ofNullable(container.getImage()).filter(image -> image.contains("@"));
    }

    /** Whether it is the one that the webhook has prepared, if any was: no daemon says which container a process is in. */
    static boolean isPrepared(Container container, Pod pod) {
        return isPrepared(container) || pod.getSpec().getContainers().stream().noneMatch(Policies::isPrepared);
    }

    private static boolean isPrepared(Container container) {
        return container.getEnv().stream().anyMatch(one -> PodNames.WORKLOAD_VARIABLE.equals(one.getName()));
    }

    /** As a DNS label. */
    private static String label(String text) {
        String plain = text.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "-");
        String cut = plain.substring(0, Math.min(LONGEST_NAME, plain.length())).replaceAll("^-+|-+$", "");
        return cut.isEmpty() ? "latest" : cut;
    }

    /** Whether the policy means pods with these labels, unless another one comes before it. */
    static boolean selects(SnapshotPolicy policy, Map<String, String> labels) {
        return policy.getSpec() != null && selects(policy.getSpec().selector(), labels);
    }

    private static boolean selects(LabelSelector selector, Map<String, String> labels) {
        Map<String, String> equal = Objects.requireNonNullElse(selector.getMatchLabels(), Map.of());
        List<LabelSelectorRequirement> others = Objects.requireNonNullElse(selector.getMatchExpressions(), List.of());
        return !(equal.isEmpty() && others.isEmpty())
                && equal.entrySet().stream().allMatch(one -> one.getValue().equals(labels.get(one.getKey())))
                && others.stream().allMatch(one -> meets(one, labels.get(one.getKey())));
    }

    private static boolean meets(
            LabelSelectorRequirement requirement, @org.jspecify.annotations.Nullable String value) {
        List<String> values = Objects.requireNonNullElse(requirement.getValues(), List.of());
        return switch (requirement.getOperator()) {
            case "In" -> value != null && values.contains(value);
            case "NotIn" -> value == null || !values.contains(value);
            case "Exists" -> value != null;
            case "DoesNotExist" -> value == null;
            default -> false;
        };
    }
}
