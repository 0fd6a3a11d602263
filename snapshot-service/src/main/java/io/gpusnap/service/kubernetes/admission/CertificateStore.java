package io.gpusnap.service.kubernetes.admission;

import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.MutatingWebhook;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.MutatingWebhookConfiguration;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.WebhookClientConfig;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.gpusnap.service.kubernetes.KubernetesComponent;
import io.gpusnap.service.kubernetes.KubernetesSettings;
import io.gpusnap.service.kubernetes.cluster.Cluster;
import io.gpusnap.service.platform.transaction.DatabaseClock;
import java.net.HttpURLConnection;
import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The certificates in a Secret, which all instances serve with: whoever finds none there, or one that ends soon, makes a new
 * one, and of several who do the first wins. The API server is told the authority before anybody serves with it.
 */
@KubernetesComponent
class CertificateStore {
    private static final Logger LOG = LoggerFactory.getLogger(CertificateStore.class);
    private static final String KEY = "tls.key";
    private static final String CERTIFICATE = "tls.crt";
    private static final String AUTHORITY = "ca.crt";

    private final KubernetesClient client;
    private final Cluster cluster;
    private final KubernetesSettings settings;
    private final DatabaseClock clock;

    CertificateStore(KubernetesClient client, Cluster cluster, KubernetesSettings settings, DatabaseClock clock) {
        this.client = client;
        this.cluster = cluster;
        this.settings = settings;
        this.clock = clock;
    }

    /** The certificate to serve with now; made anew if it is time. */
    KeyPairAndChain current() {
        Optional<Secret> secret = Optional.ofNullable(client.secrets()
                .inNamespace(settings.namespace())
                .withName(settings.webhook().secret())
                .get());
        Optional<KeyPairAndChain> kept = secret.flatMap(CertificateStore::read)
                .filter(one ->
                        !one.endsBefore(clock.now().plus(settings.webhook().renewBefore())));
        KeyPairAndChain current = kept.orElseGet(() -> renew(secret));
        announce(current);
        return current;
    }

    private KeyPairAndChain renew(Optional<Secret> before) {
        KeyPairAndChain made = Certificates.issue(hosts(), settings.webhook().validity(), clock.now());
        Secret secret = new SecretBuilder(before.orElseGet(Secret::new))
                .editOrNewMetadata()
                .withNamespace(settings.namespace())
                .withName(settings.webhook().secret())
                .addToLabels("app.kubernetes.io/managed-by", "gpusnap")
                .endMetadata()
                .withType("kubernetes.io/tls")
                .withData(Map.of(
                        KEY, base64(Certificates.pem(made.key())),
                        CERTIFICATE, base64(Certificates.pem(made.certificate())),
                        AUTHORITY, base64(Certificates.pem(made.authority()))))
                .build();
        try {
            if (before.isEmpty()) {
                client.resource(secret).create();
            } else {
                // of the version that was read: another instance may have been faster
                client.resource(secret).lockResourceVersion().update();
            }
            LOG.info(
                    "the webhook has a new certificate until {}",
                    made.certificate().getNotAfter().toInstant());
            return made;
        } catch (KubernetesClientException e) {
            if (e.getCode() != HttpURLConnection.HTTP_CONFLICT) {
                throw e;
            }
            return Optional.ofNullable(client.secrets()
                            .inNamespace(settings.namespace())
                            .withName(settings.webhook().secret())
                            .get())
                    .flatMap(CertificateStore::read)
                    .orElseThrow(() -> e);
        }
    }

    /**
     * Written only where another authority comes first. The one before it stays trusted until it ends: other instances
     * serve with its certificate until they look the next time.
     */
    private void announce(KeyPairAndChain current) {
        MutatingWebhookConfiguration configuration = client.admissionRegistration()
                .v1()
                .mutatingWebhookConfigurations()
                .withName(settings.webhook().configuration())
                .get();
        if (configuration == null) {
            LOG.warn(
                    "there is no MutatingWebhookConfiguration {}: pods start cold",
                    settings.webhook().configuration());
            return;
        }
        MutatingWebhookConfiguration wanted =
                client.getKubernetesSerialization().clone(configuration);
        for (MutatingWebhook webhook : wanted.getWebhooks()) {
            WebhookClientConfig caller = webhook.getClientConfig();
            byte[] trusted = caller.getCaBundle() == null ? new byte[0] : bytes(caller.getCaBundle());
            caller.setCaBundle(base64(Certificates.bundle(current.authority(), trusted, clock.now())));
        }
        cluster.patch(configuration, wanted);
    }

    private List<String> hosts() {
        String service = settings.webhook().service();
        List<String> hosts = new ArrayList<>(settings.webhook().hosts());
        hosts.add(service + "." + settings.namespace() + ".svc");
        hosts.add(service + "." + settings.namespace() + ".svc.cluster.local");
        return hosts;
    }

    private static Optional<KeyPairAndChain> read(Secret secret) {
        Map<String, String> data = secret.getData();
        if (data == null || !data.keySet().containsAll(List.of(KEY, CERTIFICATE, AUTHORITY))) {
            return Optional.empty();
        }
        try {
            return Optional.of(
                    Certificates.read(bytes(data.get(KEY)), bytes(data.get(CERTIFICATE)), bytes(data.get(AUTHORITY))));
        } catch (GeneralSecurityException | IllegalArgumentException e) {
            LOG.warn("Secret {} is replaced: {}", secret.getMetadata().getName(), e.toString());
            return Optional.empty();
        }
    }

    private static byte[] bytes(@org.jspecify.annotations.Nullable String base64) {
        return Base64.getDecoder().decode(base64);
    }

    private static String base64(byte[] bytes) {
        return Base64.getEncoder().encodeToString(bytes);
    }
}
