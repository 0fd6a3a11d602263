package io.gpusnap.service.scaling;

import io.gpusnap.service.platform.config.BadConfigurationException;
import io.grpc.BindableService;
import io.grpc.InsecureServerCredentials;
import io.grpc.Server;
import io.grpc.ServerCredentials;
import io.grpc.TlsServerCredentials;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.util.AdvancedTlsX509KeyManager;
import io.grpc.util.AdvancedTlsX509TrustManager;
import java.io.File;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.Objects;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;

/** The port that KEDA connects to. */
class ScalerServer implements SmartLifecycle {
    private static final Logger LOG = LoggerFactory.getLogger(ScalerServer.class);
    private static final int LARGEST_REQUEST_BYTES = 64 * 1024;
    private static final int STOP_SECONDS = 3;
    private static final int CERTIFICATES_MINUTES = 1;

    private final ScalerSettings settings;
    private final BindableService service;
    private final ScalerMetrics metrics;
    private final Runnable endStreams;
    private @Nullable Server server;
    private @Nullable ExecutorService calls;
    private @Nullable ScheduledExecutorService certificates;

    ScalerServer(ScalerSettings settings, BindableService service, ScalerMetrics metrics, Runnable endStreams) {
        this.settings = settings;
        this.service = service;
        this.metrics = metrics;
        this.endStreams = endStreams;
    }

    @Override
    public synchronized void start() {
        ServerCredentials credentials = settings.isTls() ? tls() : InsecureServerCredentials.create();
        ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor();
        calls = executor;
        try {
            server = NettyServerBuilder.forAddress(
                            new InetSocketAddress(settings.address(), settings.port()), credentials)
                    .executor(executor)
                    .intercept(metrics)
                    .addService(service)
                    .maxInboundMessageSize(LARGEST_REQUEST_BYTES)
                    // KEDA keeps one connection for all triggers of an address.
                    .maxConcurrentCallsPerConnection(2 * settings.maxStreams())
                    .permitKeepAliveTime(10, TimeUnit.SECONDS)
                    .permitKeepAliveWithoutCalls(true)
                    .keepAliveTime(1, TimeUnit.MINUTES)
                    .build()
                    .start();
        } catch (IOException e) {
            throw new BadConfigurationException(
                    "gpusnap.scaler.port",
                    "cannot listen on " + settings.address() + ":" + settings.port() + ": " + e.getMessage());
        }
        LOG.info("external scaler listens on {}:{}", settings.address(), port());
    }

    /** The port that it listens on. */
    synchronized int port() {
        return Objects.requireNonNull(server, "not started").getPort();
    }

    @Override
    public synchronized void stop() {
        endStreams.run();
        Server running = server;
        if (running != null) {
            running.shutdown();
            try {
                running.awaitTermination(STOP_SECONDS, TimeUnit.SECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            running.shutdownNow();
            server = null;
        }
        if (calls != null) {
            calls.shutdown();
        }
        if (certificates != null) {
            certificates.shutdownNow();
        }
    }

    @Override
    public synchronized boolean isRunning() {
        return server != null;
    }

    /** Certificates are read again when their files change: whoever issues them renews them without a restart. */
    private ServerCredentials tls() {
        ScheduledExecutorService reader = Executors.newSingleThreadScheduledExecutor(
                Thread.ofPlatform().daemon().name("scaler-certificates").factory());
        certificates = reader;
        try {
            AdvancedTlsX509KeyManager keys = new AdvancedTlsX509KeyManager();
            keys.updateIdentityCredentials(
                    file(settings.certificate()),
                    file(settings.privateKey()),
                    CERTIFICATES_MINUTES,
                    TimeUnit.MINUTES,
                    reader);
            TlsServerCredentials.Builder tls = TlsServerCredentials.newBuilder().keyManager(keys);
            if (settings.clientCa() != null) {
                AdvancedTlsX509TrustManager trusted = AdvancedTlsX509TrustManager.newBuilder()
                        // A caller has no host name that it could be checked against.
                        .setVerification(AdvancedTlsX509TrustManager.Verification.CERTIFICATE_ONLY_VERIFICATION)
                        .build();
                trusted.updateTrustCredentials(
                        file(settings.clientCa()), CERTIFICATES_MINUTES, TimeUnit.MINUTES, reader);
                tls.trustManager(trusted).clientAuth(TlsServerCredentials.ClientAuth.REQUIRE);
            }
            return tls.build();
        } catch (IOException | GeneralSecurityException | IllegalArgumentException e) {
            throw new BadConfigurationException("gpusnap.scaler.certificate", "cannot be used: " + e.getMessage());
        }
    }

    private static File file(@Nullable Path path) {
        return Objects.requireNonNull(path).toFile();
    }
}
