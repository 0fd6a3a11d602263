package io.gpusnap.service.kubernetes.operator;

import io.fabric8.kubernetes.api.model.Pod;
import io.gpusnap.service.kubernetes.start.PodNames;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** How well a pod is placed, the worst first: what a replica that comes back on its node would find there. */
enum Standing {
    /** Its node is closed, silent or lost. */
    LEAVING(-100),
    /** Nothing of its version is there. What a pod without the annotation is taken for. */
    BARE(0),
    /** The node's own store has a snapshot of its version. */
    STORED(100),
    /** The node's memory has it whole. */
    HOT(200);

    private final int cost;

    Standing(int cost) {
        this.cost = cost;
    }

    /** What the pod's annotations say now; empty for a pod whose cost somebody else has set. */
    static Optional<Standing> written(Pod pod) {
        Map<String, String> annotations = pod.getMetadata().getAnnotations();
        String cost = annotations.get(PodNames.DELETION_COST);
        return cost == null
                ? Optional.of(BARE)
                : Arrays.stream(values())
                        .filter(one -> one.word().equals(annotations.get(PodNames.STANDING))
                                && Integer.toString(one.cost).equals(cost))
                        .findFirst();
    }

    /** Whether the operator has said anything of the pod. */
    static boolean isWritten(Pod pod) {
        return pod.getMetadata().getAnnotations().containsKey(PodNames.STANDING);
    }

    Pod writtenTo(Pod pod) {
        Pod wanted = Resources.copy(pod);
        wanted.getMetadata().getAnnotations().put(PodNames.DELETION_COST, Integer.toString(cost));
        wanted.getMetadata().getAnnotations().put(PodNames.STANDING, word());
        return wanted;
    }

    private String word() {
        return name().toLowerCase(Locale.ROOT);
    }
}
