package io.gpusnap.service.kubernetes.testing;

import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.Pod;
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
import io.fabric8.mockwebserver.dsl.HttpMethod;
import io.fabric8.mockwebserver.http.Buffer;
import io.fabric8.mockwebserver.http.Headers;
import io.fabric8.mockwebserver.http.MockResponse;
import io.fabric8.mockwebserver.http.RecordedRequest;
import io.gpusnap.service.kubernetes.crd.Model;
import io.gpusnap.service.kubernetes.crd.PodSnapshot;
import io.gpusnap.service.kubernetes.crd.SnapshotContent;
import io.gpusnap.service.kubernetes.crd.SnapshotPolicy;
import io.gpusnap.service.kubernetes.csi.VolumeSnapshot;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.HttpURLConnection;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.concurrent.RejectedExecutionException;
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
    public static final String CLAIM = "gpusnap-nfs";
    public static final boolean REAL = System.getenv("GPUSNAP_KUBE_API") != null;

    /** Of external-snapshotter, with what is needed here. */
    private static final Path VOLUME_SNAPSHOTS =
            repository("snapshot-service", "src", "test", "resources", "csi", "volumesnapshots.yaml");

    private static final Path CRDS = repository("deploy", "crds");

    /** Here, since the mock asks in a thread of its own while the other class is being made. */
    private static volatile boolean volumeSnapshots = true;

    private static Path repository(String... path) {
        return Path.of(System.getProperty("gpusnap.root", ".."), path);
    }

    @Bean(destroyMethod = "")
    Config clusterConfig() {
        return Shared.CONFIG;
    }

    @Bean
    RecordedCalls recordedCalls() {
        return new RecordedCalls();
    }

    /** After the calls were recorded. */
    @Bean
    HiddenKind hiddenKind(RecordedCalls before) {
        return new HiddenKind();
    }

    /** A client of the test's own, which is not counted. */
    public static KubernetesClient client() {
        return Shared.CLIENT;
    }

    /** Whether the API server knows VolumeSnapshots; at first it does. */
    public static void knowsVolumeSnapshots(boolean known) {
        if (!REAL) {
            volumeSnapshots = known;
        } else if (known) {
            Shared.install(VOLUME_SNAPSHOTS);
        } else {
            client().apiextensions()
                    .v1()
                    .customResourceDefinitions()
                    .withName("volumesnapshots." + VolumeSnapshot.GROUP)
                    .delete();
            await().atMost(Duration.ofMinutes(1)).until(() -> client().getApiGroup(VolumeSnapshot.GROUP) == null);
        }
    }

    /** Creates it, of the mock without the way over HTTP: for thousands of resources. */
    public static void load(HasMetadata resource) {
        if (REAL) {
            HasMetadata made = client().resource(resource).create();
            resource.getMetadata().setResourceVersion(made.getMetadata().getResourceVersion());
            if (resource instanceof Pod) {
                client().resource(resource).subresource("status").update();
            }
            return;
        }
        String namespace = resource.getMetadata().getNamespace();
        String path = (resource.getApiVersion().contains("/") ? "/apis/" : "/api/") + resource.getApiVersion()
                + (namespace == null ? "" : "/namespaces/" + namespace) + "/" + resource.getPlural();
        try {
            require(
                    path,
                    ask(
                            HttpMethod.POST,
                            path,
                            client().getKubernetesSerialization().asJson(resource)));
        } catch (RejectedExecutionException e) {
            // a watch that is being closed cannot be told of it; it is there nonetheless
            String name = path + "/" + resource.getMetadata().getName();
            require(name, ask(HttpMethod.GET, name, ""));
        }
    }

    /** Under the lock of all requests: what reads while somebody writes is never answered. */
    private static MockResponse ask(HttpMethod method, String path, String body) {
        return Shared.DISPATCHER.dispatch(new RecordedRequest(
                "HTTP/1.1",
                method,
                path,
                Headers.builder().build(),
                new Buffer(body.getBytes(StandardCharsets.UTF_8))));
    }

    private static void require(String path, MockResponse response) {
        if (response.code() >= 300) {
            throw new AssertionError(path + ": " + response.code());
        }
    }

    /** Made once; the custom resources are known to it. */
    private static final class Shared {
        static final Logger LOG = Logger.getLogger("io.fabric8.mockwebserver");
        static final KubernetesCrudDispatcher DISPATCHER =
                new KubernetesCrudDispatcher(Stream.of(
                                SnapshotPolicy.class,
                                PodSnapshot.class,
                                SnapshotContent.class,
                                Model.class,
                                VolumeSnapshot.class)
                        .map(CustomResourceDefinitionContext::fromCustomResourceType)
                        .toList()) {
                    @Override
                    public MockResponse dispatch(RecordedRequest request) {
                        return request.getPath().startsWith(HiddenKind.NOWHERE)
                                        || !volumeSnapshots
                                                && request.getPath().startsWith("/apis/" + VolumeSnapshot.GROUP + "/")
                                ? new MockResponse().setResponseCode(HttpURLConnection.HTTP_NOT_FOUND)
                                : super.dispatch(request);
                    }
                };
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
                    // hundreds of resources with finalizers are deleted in one request
                    .withRequestTimeout(60_000)
                    .build();
        }

        private static Config mock() {
            // it would print every request
            LOG.setLevel(Level.WARNING);
            KubernetesMockServer server =
                    new KubernetesMockServer(new Context(), new MockWebServer(), new HashMap<>(), DISPATCHER, false);
            server.init();
            try (KubernetesClient client = server.createClient()) {
                return new ConfigBuilder(client.getConfiguration())
                        .withRequestRetryBackoffLimit(0)
                        // on a machine that has other things to do
                        .withRequestTimeout(60_000)
                        .build();
            }
        }

        private static boolean isEstablished(CustomResourceDefinition crd) {
            return crd.getStatus() != null
                    && crd.getStatus().getConditions() != null
                    && crd.getStatus().getConditions().stream()
                            .anyMatch(condition ->
                                    "Established".equals(condition.getType()) && "True".equals(condition.getStatus()));
        }

        private static void install() {
            try (Stream<Path> files = Files.list(CRDS)) {
                files.forEach(Shared::install);
                install(VOLUME_SNAPSHOTS);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        static void install(Path file) {
            try (InputStream text = Files.newInputStream(file)) {
                CustomResourceDefinition crd =
                        CLIENT.getKubernetesSerialization().unmarshal(text, CustomResourceDefinition.class);
                CLIENT.resource(crd).createOr(existing -> existing.update());
                // in this thread: the class is not ready for others yet
                await().pollInSameThread()
                        .atMost(Duration.ofMinutes(1))
                        .until(() -> isEstablished(CLIENT.resource(crd).get()));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
