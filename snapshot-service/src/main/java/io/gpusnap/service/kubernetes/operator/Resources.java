package io.gpusnap.service.kubernetes.operator;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import java.util.Optional;

/** What all kinds of resources have in common. */
final class Resources {
    private static final KubernetesSerialization JSON = new KubernetesSerialization();

    private Resources() {}

    /** What looks after it. */
    static Optional<OwnerReference> controller(HasMetadata resource) {
        return resource.getMetadata().getOwnerReferences().stream()
                .filter(owner -> Boolean.TRUE.equals(owner.getController()))
                .findFirst();
    }

    /** What informers keep must not be changed. */
    static <T extends HasMetadata> T copy(T resource) {
        return JSON.clone(resource);
    }
}
