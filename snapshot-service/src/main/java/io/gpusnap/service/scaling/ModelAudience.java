package io.gpusnap.service.scaling;

import java.util.Optional;

/** Who may hear of a model's demand. Without one everybody who gets in may. */
public interface ModelAudience {

    /**
     * Why nothing of this namespace may hear of the model's demand; empty if it may. Asked at each call, by any instance.
     *
     * @param namespace of the ScaledObject, as KEDA says; empty from callers that do not say
     */
    Optional<String> refusal(String namespace, String model);
}
