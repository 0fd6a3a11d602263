package io.gpusnap.service.kubernetes.testing;

import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinition;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.dsl.base.CustomResourceDefinitionContext;
import io.fabric8.kubernetes.client.server.mock.KubernetesCrudDispatcher;
import io.fabric8.kubernetes.client.server.mock.KubernetesMockServer;
import io.fabric8.mockwebserver.Context;
import io.fabric8.mockwebserver.MockWebServer;
import io.gpusnap.service.kubernetes.crd.Model;
import io.gpusnap.service.kubernetes.crd.PodSnapshot;
import io.gpusnap.service.kubernetes.crd.SnapshotContent;
import io.gpusnap.service.kubernetes.crd.SnapshotPolicy;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Stream;
import org.springframework.boot.test.context.TestConfiguration;
import org.springframework.context.annotation.Bean;

/**
 * The API server of the tests: the one that {@code GPUSNAP_KUBE_API} names the kubeconfig of, or else fabric8's mock, which
 * keeps resources, watches, conflicts and finalizers, and knows neither admission nor CEL nor a scheduler.
 */
@TestConfiguration(proxyBeanMethods = false)
public class ClusterUnderTest {
    public static final String SYSTEM = "gpusnap-system";
    public static final String WEBHOOK = "gpusnap-test";
    public static final boolean REAL = System.getenv("GPUSNAP_KUBE_API") != null;

    private static final Path CRDS = Path.of(System.getProperty("gpusnap.root", ".."), "deploy", "crds");

    @Bean(destroyMethod = "")
    Config clusterConfig() {
        return Shared.CONFIG;
    }

    @Bean
    RecordedCalls recordedCalls() {
        return new RecordedCalls();
    }

    /** A client of the test's own, which is not counted. */
    public static KubernetesClient client() {
        return Shared.CLIENT;
    }

    /** Made once; the custom resources are known to it. */
    private static final class Shared {
        static final Logger LOG = Logger.getLogger("io.fabric8.mockwebserver");
        static final Config CONFIG = REAL ? real() : mock();
        static final KubernetesClient CLIENT =
                new KubernetesClientBuilder().withConfig(CONFIG).build();

        static {
            if (REAL) {
                install();
            }
            CLIENT.resource(new NamespaceBuilder()
                            .withNewMetadata()
                            .withName(SYSTEM)
                            .endMetadata()
                            .build())
                    .createOr(existing -> existing.update());
        }

        private static Config real() {
            return new ConfigBuilder(Config.fromKubeconfig(new File(System.getenv("GPUSNAP_KUBE_API"))))
                    .withRequestRetryBackoffLimit(0)
                    .build();
        }

        private static Config mock() {
            // it would print every request
            LOG.setLevel(Level.WARNING);
            KubernetesMockServer server = new KubernetesMockServer(
                    new Context(),
                    new MockWebServer(),
                    new HashMap<>(),
                    new KubernetesCrudDispatcher(
                            Stream.of(SnapshotPolicy.class, PodSnapshot.class, SnapshotContent.class, Model.class)
                                    .map(CustomResourceDefinitionContext::fromCustomResourceType)
                                    .toList()),
                    false);
            server.init();
            try (KubernetesClient client = server.createClient()) {
                return new ConfigBuilder(client.getConfiguration())
                        .withRequestRetryBackoffLimit(0)
                        .build();
            }
        }

        private static void install() {
            try (Stream<Path> files = Files.list(CRDS)) {
                for (Path file : files.toList()) {
                    try (InputStream text = Files.newInputStream(file)) {
                        CustomResourceDefinition crd =
                                CLIENT.getKubernetesSerialization().unmarshal(text, CustomResourceDefinition.class);
                        CLIENT.resource(crd).createOr(existing -> existing.update());
                        CLIENT.resource(crd)
                                .waitUntilCondition(
                                        one -> one != null
                                                && one.getStatus() != null
                                                && one.getStatus().getConditions().stream()
                                                        .anyMatch(condition -> "Established".equals(condition.getType())
                                                                && "True".equals(condition.getStatus())),
                                        60,
                                        TimeUnit.SECONDS);
                    }
                }
            } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        }
    }
}
