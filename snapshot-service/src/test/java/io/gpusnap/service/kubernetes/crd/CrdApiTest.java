package io.gpusnap.service.kubernetes.crd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinition;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.gpusnap.service.kubernetes.testing.ClusterUnderTest;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import tools.jackson.databind.JsonNode;

/** The examples at a real API server, where one is given: it must take and refuse the same ones, as far as it knows how. */
class CrdApiTest {
    private static final int MOST_ATTEMPTS = 20;

    @TestFactory
    List<DynamicTest> theApiServerAgrees() throws IOException {
        List<DynamicTest> tests = new ArrayList<>();
        if (!ClusterUnderTest.REAL) {
            return tests;
        }
        KubernetesClient client = ClusterUnderTest.client();
        for (Path file : CrdExamplesTest.valid()) {
            tests.add(dynamicTest(
                    name(file), () -> assertThat(create(client, file)).isNotNull()));
        }
        boolean rules = keepsRules(client);
        for (Path file : CrdExamplesTest.invalid()) {
            String expected = CrdExamplesTest.expected(file);
            boolean ofSchema = expected.matches(".*: (Required value|Invalid value|Unsupported value|Invalid type)");
            if (ofSchema || (rules && !expected.contains("Unknown field"))) {
                tests.add(dynamicTest(
                        name(file),
                        () -> assertThatThrownBy(() -> create(client, file))
                                .isInstanceOf(KubernetesClientException.class)
                                .hasMessageContaining(field(expected))));
            }
        }
        return tests;
    }

    /** Without the way to it, which API servers write with indexes or without. */
    private static String field(String expected) {
        return expected.split(":", 2)[0].replaceAll(".*\\.", "").replaceAll("\\[[0-9]+\\]$", "");
    }

    private static String name(Path file) {
        return file.getParent().getFileName() + "/" + file.getFileName();
    }

    /** Of an update the first document, or the first and then the second. */
    private static GenericKubernetesResource create(KubernetesClient client, Path file) throws IOException {
        List<JsonNode> documents = CrdExamplesTest.documents(file);
        GenericKubernetesResource first = read(client, documents.getFirst());
        if (documents.size() == 1) {
            return client.resource(first).dryRun().create();
        }
        GenericKubernetesResource made = client.resource(first).create();
        try {
            return update(client, made, read(client, documents.get(1)));
        } finally {
            client.resource(made).delete();
        }
    }

    /** The operator of other tests writes to it as well. */
    private static GenericKubernetesResource update(
            KubernetesClient client, GenericKubernetesResource made, GenericKubernetesResource wanted) {
        for (int attempt = 0; ; attempt++) {
            try {
                wanted.getMetadata()
                        .setResourceVersion(
                                client.resource(made).get().getMetadata().getResourceVersion());
                return client.resource(wanted).update();
            } catch (KubernetesClientException e) {
                if (e.getCode() != HttpURLConnection.HTTP_CONFLICT || attempt == MOST_ATTEMPTS) {
                    throw e;
                }
            }
        }
    }

    private static GenericKubernetesResource read(KubernetesClient client, JsonNode document) {
        return client.getKubernetesSerialization().unmarshal(document.toString(), GenericKubernetesResource.class);
    }

    /** Before 1.25 they are dropped from the definition. */
    private static boolean keepsRules(KubernetesClient client) {
        CustomResourceDefinition crd = client.apiextensions()
                .v1()
                .customResourceDefinitions()
                .withName("snapshotpolicies.gpusnap.io")
                .get();
        return client.getKubernetesSerialization().asJson(crd).contains("x-kubernetes-validations");
    }
}
