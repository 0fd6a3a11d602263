package io.gpusnap.deploy;

import com.google.gson.Gson;
import com.google.gson.JsonElement;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import io.kubernetes.client.openapi.JSON;
import io.kubernetes.client.openapi.models.V1ClusterRole;
import io.kubernetes.client.openapi.models.V1ClusterRoleBinding;
import io.kubernetes.client.openapi.models.V1ConfigMap;
import io.kubernetes.client.openapi.models.V1CustomResourceDefinition;
import io.kubernetes.client.openapi.models.V1DaemonSet;
import io.kubernetes.client.openapi.models.V1Deployment;
import io.kubernetes.client.openapi.models.V1MutatingWebhookConfiguration;
import io.kubernetes.client.openapi.models.V1Namespace;
import io.kubernetes.client.openapi.models.V1NetworkPolicy;
import io.kubernetes.client.openapi.models.V1PersistentVolumeClaim;
import io.kubernetes.client.openapi.models.V1PodDisruptionBudget;
import io.kubernetes.client.openapi.models.V1Role;
import io.kubernetes.client.openapi.models.V1RoleBinding;
import io.kubernetes.client.openapi.models.V1Secret;
import io.kubernetes.client.openapi.models.V1Service;
import io.kubernetes.client.openapi.models.V1ServiceAccount;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Checks manifests as `kubeconform --strict` does: a field that is required and missing, one that is not known, one of the
 * wrong kind. Kubernetes' own types are those of its OpenAPI description; the custom resources' are in the CRDs; those of
 * others have a small schema of ours beside the tests, written from their documentation. A quantity has to be text here, though
 * an API server also takes a number.
 */
final class Manifests {
    private static final Gson GSON = new Gson();

    private static final Map<String, Class<?>> KUBERNETES = Map.ofEntries(
            Map.entry("v1/Namespace", V1Namespace.class),
            Map.entry("v1/ConfigMap", V1ConfigMap.class),
            Map.entry("v1/Secret", V1Secret.class),
            Map.entry("v1/Service", V1Service.class),
            Map.entry("v1/ServiceAccount", V1ServiceAccount.class),
            Map.entry("v1/PersistentVolumeClaim", V1PersistentVolumeClaim.class),
            Map.entry("apps/v1/Deployment", V1Deployment.class),
            Map.entry("apps/v1/DaemonSet", V1DaemonSet.class),
            Map.entry("policy/v1/PodDisruptionBudget", V1PodDisruptionBudget.class),
            Map.entry("networking.k8s.io/v1/NetworkPolicy", V1NetworkPolicy.class),
            Map.entry("rbac.authorization.k8s.io/v1/ClusterRole", V1ClusterRole.class),
            Map.entry("rbac.authorization.k8s.io/v1/ClusterRoleBinding", V1ClusterRoleBinding.class),
            Map.entry("rbac.authorization.k8s.io/v1/Role", V1Role.class),
            Map.entry("rbac.authorization.k8s.io/v1/RoleBinding", V1RoleBinding.class),
            Map.entry(
                    "admissionregistration.k8s.io/v1/MutatingWebhookConfiguration",
                    V1MutatingWebhookConfiguration.class),
            Map.entry("apiextensions.k8s.io/v1/CustomResourceDefinition", V1CustomResourceDefinition.class));

    private static final Map<String, String> OF_OTHERS = Map.of(
            "monitoring.coreos.com/v1/ServiceMonitor", "servicemonitor",
            "monitoring.coreos.com/v1/PodMonitor", "podmonitor",
            "monitoring.coreos.com/v1/PrometheusRule", "prometheusrule",
            "keda.sh/v1alpha1/ScaledObject", "scaledobject",
            "keda.sh/v1alpha1/TriggerAuthentication", "triggerauthentication",
            "snapshot.storage.k8s.io/v1/VolumeSnapshot", "volumesnapshot",
            "snapshot.storage.k8s.io/v1/VolumeSnapshotContent", "volumesnapshotcontent");

    private Manifests() {}

    static String kind(Map<String, Object> manifest) {
        return manifest.get("apiVersion") + "/" + manifest.get("kind");
    }

    static String name(Map<String, Object> manifest) {
        return kind(manifest) + " " + Yamls.at(manifest, "metadata", "name");
    }

    /** What is wrong with it; empty: nothing. */
    static String problems(Map<String, Object> manifest) {
        Class<?> type = KUBERNETES.get(kind(manifest));
        if (type != null) {
            return as(type, manifest);
        }
        if (String.valueOf(manifest.get("apiVersion")).startsWith("gpusnap.io/")) {
            return against(customResources().get(kind(manifest)), manifest);
        }
        String schema = OF_OTHERS.get(kind(manifest));
        return schema == null
                ? name(manifest) + ": no schema for it, add one to Manifests"
                : against(Repository.read("deploy", "src", "test", "resources", "schemas", schema + ".json"), manifest);
    }

    /**
     * Reading refuses fields that are missing or not known, but takes {@code 8080} for text and {@code "yes"} for a boolean: what
     * was read is written again, and has to be of the same kinds.
     */
    private static String as(Class<?> type, Map<String, Object> manifest) {
        JsonElement said = GSON.toJsonTree(manifest);
        try {
            JsonElement read = JSON.getGson().toJsonTree(JSON.getGson().fromJson(said, type));
            return JsonKinds.differences(said, read).stream()
                    .map(difference -> name(manifest) + difference)
                    .collect(Collectors.joining("; "));
        } catch (RuntimeException e) {
            return name(manifest) + ": " + e.getMessage();
        }
    }

    /** As JSON Schema, by kind. */
    private static Map<String, String> customResources() {
        Map<String, String> schemas = new TreeMap<>();
        for (var file : Repository.files(Repository.path("deploy", "crds"), ".yaml")) {
            Map<String, Object> crd = Yamls.map(Repository.read(file));
            for (Map<String, Object> version : Yamls.maps(Yamls.at(crd, "spec", "versions"))) {
                Map<String, Object> schema = Strict.of(Yamls.asMap(Yamls.at(version, "schema", "openAPIV3Schema")));
                schemas.put(
                        Yamls.at(crd, "spec", "group") + "/" + version.get("name") + "/"
                                + Yamls.at(crd, "spec", "names", "kind"),
                        GSON.toJson(schema));
            }
        }
        return schemas;
    }

    static String against(String schema, Map<String, Object> document) {
        Schema compiled =
                SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_7).getSchema(schema);
        List<com.networknt.schema.Error> errors =
                compiled.validate(GSON.toJson(document), com.networknt.schema.InputFormat.JSON);
        return errors.stream().map(com.networknt.schema.Error::toString).collect(Collectors.joining("; "));
    }
}
