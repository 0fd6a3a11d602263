package io.gpusnap.service.kubernetes.admission;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.admission.v1.AdmissionRequest;
import io.fabric8.kubernetes.api.model.admission.v1.AdmissionResponse;
import io.fabric8.kubernetes.api.model.admission.v1.AdmissionResponseBuilder;
import io.fabric8.kubernetes.api.model.admission.v1.AdmissionReview;
import io.fabric8.kubernetes.api.model.admission.v1.AdmissionReviewBuilder;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import io.fabric8.zjsonpatch.JsonDiff;
import io.gpusnap.service.kubernetes.KubernetesComponent;
import io.gpusnap.service.kubernetes.KubernetesSettings;
import io.gpusnap.service.kubernetes.operator.Leadership;
import io.gpusnap.service.kubernetes.start.PodNames;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.JsonNode;

/** Answers an admission review: always allowed, and with a patch if the pod is one of ours. */
@KubernetesComponent
class Admission {
    private static final Logger LOG = LoggerFactory.getLogger(Admission.class);

    private final KubernetesSerialization json = new KubernetesSerialization();
    private final PodMutation mutation;
    private final Leadership leadership;

    Admission(KubernetesSettings settings, Leadership leadership) {
        this.mutation = new PodMutation(settings.webhook());
        this.leadership = leadership;
    }

    /** @throws IllegalArgumentException unless the text is an admission review with a request */
    String review(String text) {
        AdmissionReview review = json.unmarshal(text, AdmissionReview.class);
        if (review == null || review.getRequest() == null) {
            throw new IllegalArgumentException("it is no AdmissionReview with a request");
        }
        return json.asJson(new AdmissionReviewBuilder()
                .withApiVersion(review.getApiVersion())
                .withKind(review.getKind())
                .withResponse(answer(review.getRequest()))
                .build());
    }

    private AdmissionResponse answer(AdmissionRequest request) {
        AdmissionResponseBuilder answer =
                new AdmissionResponseBuilder().withUid(request.getUid()).withAllowed(true);
        Pod pod = "CREATE".equals(request.getOperation())
                        && "Pod".equals(request.getKind().getKind())
                ? json.convertValue(request.getObject(), Pod.class)
                : new Pod();
        if (pod.getMetadata() != null
                && pod.getSpec() != null
                && "true".equals(pod.getMetadata().getLabels().get(PodNames.MANAGED))) {
            Pod wanted = json.clone(pod);
            List<String> warnings = mutation.apply(wanted, someoneLeads());
            JsonNode patch =
                    JsonDiff.asJson(json.convertValue(pod, JsonNode.class), json.convertValue(wanted, JsonNode.class));
            if (!patch.isEmpty()) {
                answer.withPatchType("JSONPatch")
                        .withPatch(Base64.getEncoder()
                                .encodeToString(patch.toString().getBytes(StandardCharsets.UTF_8)));
            }
            answer.withWarnings(warnings);
        }
        return answer.build();
    }

    /** A gate that nobody opens would hold the pod for ever. */
    private boolean someoneLeads() {
        try {
            return leadership.someoneLeads();
        } catch (RuntimeException e) {
            LOG.warn("the lease of the operator cannot be read, a pod starts cold: {}", e.toString());
            return false;
        }
    }
}
