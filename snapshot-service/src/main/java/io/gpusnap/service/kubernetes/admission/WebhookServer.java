package io.gpusnap.service.kubernetes.admission;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import io.gpusnap.service.kubernetes.Background;
import io.gpusnap.service.kubernetes.KubernetesComponent;
import io.gpusnap.service.kubernetes.KubernetesSettings;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;

/**
 * Listens for the API server, apart from the REST API: it has other callers, another certificate and one address. It begins
 * to listen when there is a certificate, and looks after that from then on.
 */
@KubernetesComponent
class WebhookServer implements SmartLifecycle {
    private static final Logger LOG = LoggerFactory.getLogger(WebhookServer.class);
    private static final String PATH = "/mutate-pods";
    private static final int MOST_BYTES = 4 << 20;
    private static final Duration FIRST_RETRY = Duration.ofSeconds(1);
    private static final Duration CHECK = Duration.ofMinutes(1);

    private final KubernetesSettings settings;
    private final CertificateStore certificates;
    private final Admission admission;
    private final CurrentKey key = new CurrentKey();
    private final Background background = new Background("kubernetes-webhook");
    private volatile @Nullable HttpsServer server;
    private @Nullable ExecutorService handlers;

    WebhookServer(KubernetesSettings settings, CertificateStore certificates, Admission admission) {
        this.settings = settings;
        this.certificates = certificates;
        this.admission = admission;
    }

    @Override
    public void start() {
        if (settings.webhook().enabled()) {
            background.start(this::keep);
        }
    }

    @Override
    public void stop() {
        background.stop();
        HttpsServer listening = server;
        if (listening != null) {
            listening.stop(0);
            server = null;
        }
        if (handlers != null) {
            handlers.shutdownNow();
        }
    }

    @Override
    public boolean isRunning() {
        return background.isRunning();
    }

    /** Where it listens; null while it has no certificate yet. */
    @Nullable
    InetSocketAddress address() {
        HttpsServer listening = server;
        return listening == null ? null : listening.getAddress();
    }

    private void keep() throws InterruptedException {
        Duration wait = FIRST_RETRY;
        do {
            Duration later = wait.multipliedBy(2);
            wait = renew() || later.compareTo(CHECK) > 0 ? CHECK : later;
        } while (!background.endsWithin(wait));
    }

    /** Looks after the certificate, one caller at a time; whether there is a good one. */
    synchronized boolean renew() {
        try {
            key.set(certificates.current());
            if (server == null) {
                listen();
            }
            return true;
        } catch (RuntimeException | IOException | GeneralSecurityException e) {
            LOG.warn("the webhook's certificate cannot be looked after: {}", e.toString());
            return false;
        }
    }

    private void listen() throws IOException, GeneralSecurityException {
        SSLContext tls = SSLContext.getInstance("TLS");
        tls.init(new KeyManager[] {key}, null, null);
        HttpsServer made = HttpsServer.create(
                new InetSocketAddress(
                        InetAddress.getByName(settings.webhook().address()),
                        settings.webhook().port()),
                0);
        made.setHttpsConfigurator(new HttpsConfigurator(tls));
        handlers = Executors.newVirtualThreadPerTaskExecutor();
        made.setExecutor(handlers);
        made.createContext(PATH, this::handle);
        made.start();
        server = made;
        LOG.info("the webhook listens at {}", made.getAddress());
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            if (!"POST".equals(exchange.getRequestMethod())
                    || !PATH.equals(exchange.getRequestURI().getPath())) {
                exchange.sendResponseHeaders(HttpURLConnection.HTTP_NOT_FOUND, -1);
                return;
            }
            byte[] body = exchange.getRequestBody().readNBytes(MOST_BYTES + 1);
            if (body.length > MOST_BYTES) {
                exchange.sendResponseHeaders(HttpURLConnection.HTTP_ENTITY_TOO_LARGE, -1);
                return;
            }
            byte[] answer;
            try {
                answer = admission
                        .review(new String(body, StandardCharsets.UTF_8))
                        .getBytes(StandardCharsets.UTF_8);
            } catch (RuntimeException e) {
                LOG.info("an admission review cannot be read: {}", e.toString());
                exchange.sendResponseHeaders(HttpURLConnection.HTTP_BAD_REQUEST, -1);
                return;
            }
            exchange.getResponseHeaders().set("Content-Type", "application/json");
            exchange.sendResponseHeaders(HttpURLConnection.HTTP_OK, answer.length);
            exchange.getResponseBody().write(answer);
        }
    }
}
