package io.gpusnap.service.kubernetes.operator;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;

/** Copies: what informers keep must not be changed. */
final class Resources {
    private static final KubernetesSerialization JSON = new KubernetesSerialization();

    private Resources() {}

    static <T extends HasMetadata> T copy(T resource) {
        return JSON.clone(resource);
    }
}
