package io.gpusnap.service.kubernetes.cluster;

import io.fabric8.kubernetes.api.model.EventBuilder;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.CustomResource;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import io.fabric8.zjsonpatch.JsonDiff;
import io.gpusnap.service.kubernetes.KubernetesComponent;
import java.net.HttpURLConnection;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;

/**
 * Changes in the cluster. Each patch says which version of the resource it is of: of two writers one is refused with a
 * conflict, and looks again. A patch that changes nothing is not sent. JSON patches, which every API server applies alike:
 * server-side apply owns fields for ever, and merge patches of lists differ between implementations.
 */
@KubernetesComponent
public class Cluster {
    private static final PatchContext PATCH = PatchContext.of(PatchType.JSON);
    private static final String STATUS = "status";

    private final KubernetesClient client;

    Cluster(KubernetesClient client) {
        this.client = client;
    }

    /** Kinds of events. */
    public enum EventType {
        NORMAL("Normal"),
        WARNING("Warning");

        private final String wireName;

        EventType(String wireName) {
            this.wireName = wireName;
        }
    }

    /** Whether somebody else was faster: the resource has changed since it was read, or is gone. Who hears of that looks again. */
    public static boolean lostRace(KubernetesClientException refusal) {
        return refusal.getCode() == HttpURLConnection.HTTP_CONFLICT
                || refusal.getCode() == HttpURLConnection.HTTP_NOT_FOUND;
    }

    /** Creates it, unless it is there already. */
    public <T extends HasMetadata> Optional<T> create(T resource) {
        try {
            return Optional.of(client.resource(resource).create());
        } catch (KubernetesClientException e) {
            if (e.getCode() == HttpURLConnection.HTTP_CONFLICT) {
                return Optional.empty();
            }
            throw e;
        }
    }

    /** Makes of the resource, as it was read, what it should be; status apart. */
    public <T extends HasMetadata> T patch(T resource, T wanted) {
        return changed(resource, wanted)
                .map(patch -> client.resource(resource).patch(PATCH, patch))
                .orElse(resource);
    }

    /** The same of its status. */
    public <T extends HasMetadata> T patchStatus(T resource, T wanted) {
        return changed(resource, wanted)
                .map(patch -> client.resource(resource).subresource(STATUS).patch(PATCH, patch))
                .orElse(resource);
    }

    /** Writes the status if it is another one. */
    public <S, T extends CustomResource<?, S>> T status(T resource, S status) {
        if (status.equals(resource.getStatus())) {
            return resource;
        }
        T wanted = client.getKubernetesSerialization().clone(resource);
        wanted.setStatus(status);
        return patchStatus(resource, wanted);
    }

    /** Deletes it; finalizers may keep it for a while. */
    public void delete(HasMetadata resource) {
        client.resource(resource).delete();
    }

    /** Adds or removes a finalizer. */
    public <T extends HasMetadata> T finalizer(T resource, String finalizer, boolean there) {
        List<String> before =
                Optional.ofNullable(resource.getMetadata().getFinalizers()).orElse(List.of());
        if (before.contains(finalizer) == there) {
            return resource;
        }
        T wanted = client.getKubernetesSerialization().clone(resource);
        if (there) {
            wanted.addFinalizer(finalizer);
        } else {
            wanted.removeFinalizer(finalizer);
        }
        return patch(resource, wanted);
    }

    /** Tells people who look at the pod. */
    public void event(Pod pod, EventType type, String reason, String message, Instant now) {
        String time = now.truncatedTo(ChronoUnit.SECONDS).toString();
        client.resource(new EventBuilder()
                        .withNewMetadata()
                        .withGenerateName(pod.getMetadata().getName() + ".")
                        .withNamespace(pod.getMetadata().getNamespace())
                        .endMetadata()
                        .withNewInvolvedObject()
                        .withApiVersion("v1")
                        .withKind("Pod")
                        .withNamespace(pod.getMetadata().getNamespace())
                        .withName(pod.getMetadata().getName())
                        .withUid(pod.getMetadata().getUid())
                        .endInvolvedObject()
                        .withType(type.wireName)
                        .withReason(reason)
                        .withMessage(shortened(message))
                        .withFirstTimestamp(time)
                        .withLastTimestamp(time)
                        .withCount(1)
                        .withNewSource()
                        .withComponent("gpusnap")
                        .endSource()
                        .build())
                .create();
    }

    /** An API server takes no longer ones. */
    private static String shortened(String message) {
        int most = 1024;
        return message.length() <= most ? message : message.substring(0, most - 1) + "…";
    }

    private Optional<String> changed(HasMetadata resource, HasMetadata wanted) {
        KubernetesSerialization json = client.getKubernetesSerialization();
        JsonNode patch =
                JsonDiff.asJson(json.convertValue(resource, JsonNode.class), json.convertValue(wanted, JsonNode.class));
        if (patch.isEmpty()) {
            return Optional.empty();
        }
        ArrayNode guarded = JsonNodeFactory.instance.arrayNode();
        guarded.addObject()
                .put("op", "replace")
                .put("path", "/metadata/resourceVersion")
                .put("value", resource.getMetadata().getResourceVersion());
        patch.forEach(guarded::add);
        return Optional.of(guarded.toString());
    }
}
