package io.gpusnap.service.scaling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import externalscaler.ExternalScalerGrpc;
import externalscaler.IsActiveResponse;
import externalscaler.ScaledObjectRef;
import io.gpusnap.service.platform.config.BadConfigurationException;
import io.gpusnap.service.security.SecuritySettings;
import io.grpc.ChannelCredentials;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.TlsChannelCredentials;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.StreamObserver;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.io.OutputStream;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The port itself: who gets in, and what stops the start. */
class ScalerServerTest {
    private static final char[] PASSWORD = "changeit".toCharArray();

    @TempDir
    private static Path folder;

    @BeforeAll
    static void certificates() throws Exception {
        for (String name : List.of("server", "keda", "stranger")) {
            certificate(name);
        }
    }

    /** A certificate that vouches for itself, and its key, as the files that Kubernetes mounts. */
    private static void certificate(String name) throws IOException, InterruptedException, GeneralSecurityException {
        Path store = folder.resolve(name + ".p12");
        Process keytool = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "keytool")
                                .toString(),
                        "-genkeypair",
                        "-alias",
                        name,
                        "-keyalg",
                        "EC",
                        "-groupname",
                        "secp256r1",
                        "-dname",
                        "CN=" + name,
                        "-ext",
                        "san=dns:localhost,ip:127.0.0.1",
                        "-validity",
                        "2",
                        "-storetype",
                        "PKCS12",
                        "-keystore",
                        store.toString(),
                        "-storepass",
                        new String(PASSWORD))
                .redirectErrorStream(true)
                .start();
        String said = new String(keytool.getInputStream().readAllBytes());
        assertThat(keytool.waitFor()).as(said).isZero();
        KeyStore keys = KeyStore.getInstance(store.toFile(), PASSWORD);
        pem(name + ".crt", "CERTIFICATE", keys.getCertificate(name).getEncoded());
        pem(name + ".key", "PRIVATE KEY", keys.getKey(name, PASSWORD).getEncoded());
    }

    private static void pem(String file, String kind, byte[] content) throws IOException {
        try (OutputStream out = Files.newOutputStream(folder.resolve(file))) {
            out.write(("-----BEGIN " + kind + "-----\n").getBytes());
            out.write(Base64.getMimeEncoder(64, "\n".getBytes()).encode(content));
            out.write(("\n-----END " + kind + "-----\n").getBytes());
        }
    }

    private static ScalerSettings settings(
            String address, int port, @Nullable String certificate, @Nullable String ca) {
        return new ScalerSettings(
                true,
                address,
                port,
                certificate == null ? null : folder.resolve(certificate + ".crt"),
                certificate == null ? null : folder.resolve(certificate + ".key"),
                ca == null ? null : folder.resolve(ca + ".crt"),
                Duration.ofMinutes(5),
                Duration.ofSeconds(5),
                10);
    }

    /** Answers that it is active, so that a call shows nothing but whether it got in. */
    private static ScalerServer server(ScalerSettings settings, Runnable end) {
        return new ScalerServer(
                settings,
                new ExternalScalerGrpc.ExternalScalerImplBase() {
                    @Override
                    public void isActive(ScaledObjectRef trigger, StreamObserver<IsActiveResponse> caller) {
                        caller.onNext(
                                IsActiveResponse.newBuilder().setResult(true).build());
                        caller.onCompleted();
                    }
                },
                new ScalerMetrics(new SimpleMeterRegistry()),
                end);
    }

    private static boolean call(ScalerServer server, ChannelCredentials credentials) {
        ManagedChannel channel = NettyChannelBuilder.forAddress("127.0.0.1", server.port(), credentials)
                .build();
        try {
            return ExternalScalerGrpc.newBlockingStub(channel)
                    .withDeadlineAfter(Duration.ofSeconds(30))
                    .isActive(ScaledObjectRef.getDefaultInstance())
                    .getResult();
        } finally {
            channel.shutdownNow();
        }
    }

    private static TlsChannelCredentials.Builder trustingTheServer() throws IOException {
        return TlsChannelCredentials.newBuilder()
                .trustManager(folder.resolve("server.crt").toFile());
    }

    private static ChannelCredentials as(String name) throws IOException {
        return trustingTheServer()
                .keyManager(
                        folder.resolve(name + ".crt").toFile(),
                        folder.resolve(name + ".key").toFile())
                .build();
    }

    @Test
    void withAClientCaOnlyItsCertificatesGetIn() throws IOException {
        ScalerServer server = server(settings("127.0.0.1", 0, "server", "keda"), () -> {});
        server.start();
        try {
            assertThat(call(server, as("keda"))).isTrue();
            ChannelCredentials stranger = as("stranger");
            ChannelCredentials nobody = trustingTheServer().build();
            assertThatThrownBy(() -> call(server, stranger)).isInstanceOf(StatusRuntimeException.class);
            assertThatThrownBy(() -> call(server, nobody)).isInstanceOf(StatusRuntimeException.class);
            assertThatThrownBy(() -> call(server, InsecureChannelCredentials.create()))
                    .isInstanceOf(StatusRuntimeException.class);
        } finally {
            server.stop();
        }
    }

    @Test
    void withACertificateAloneEverybodyGetsInOverTls() throws IOException {
        ScalerServer server = server(settings("127.0.0.1", 0, "server", null), () -> {});
        server.start();
        try {
            assertThat(call(server, trustingTheServer().build())).isTrue();
        } finally {
            server.stop();
        }
    }

    @Test
    void stoppingEndsTheStreamsFirst() {
        AtomicBoolean ended = new AtomicBoolean();
        ScalerServer server = server(settings("127.0.0.1", 0, null, null), () -> ended.set(true));
        server.start();

        server.stop();

        assertThat(ended).isTrue();
        assertThat(server.isRunning()).isFalse();
    }

    @Test
    void aPortThatIsTakenStopsTheStart() throws IOException {
        try (ServerSocket taken = new ServerSocket(0)) {
            ScalerServer server = server(settings("0.0.0.0", taken.getLocalPort(), null, null), () -> {});

            assertThatThrownBy(server::start)
                    .isInstanceOf(BadConfigurationException.class)
                    .hasMessageContaining("cannot listen on 0.0.0.0:" + taken.getLocalPort());
        }
    }

    @Test
    void filesThatAreNoCertificateStopTheStart() throws IOException {
        Files.writeString(folder.resolve("wrong.crt"), "nothing");
        Files.writeString(folder.resolve("wrong.key"), "nothing");

        assertThatThrownBy(() -> server(settings("127.0.0.1", 0, "wrong", null), () -> {})
                        .start())
                .isInstanceOf(BadConfigurationException.class)
                .hasMessageContaining("cannot be used");
    }

    @Test
    void certificatesWithoutKeysAndAuthoritiesWithoutTlsAreRefused() {
        assertThatThrownBy(() -> new ScalerSettings(
                        true,
                        "127.0.0.1",
                        0,
                        folder.resolve("server.crt"),
                        null,
                        null,
                        Duration.ofMinutes(5),
                        Duration.ofSeconds(5),
                        10))
                .isInstanceOf(BadConfigurationException.class)
                .hasMessageContaining("certificate and key belong together");
        assertThatThrownBy(() -> settings("127.0.0.1", 0, null, "keda"))
                .isInstanceOf(BadConfigurationException.class)
                .hasMessageContaining("without TLS callers cannot show certificates");
        assertThatThrownBy(() -> settings("127.0.0.1", 0, "none", null))
                .isInstanceOf(BadConfigurationException.class)
                .hasMessageContaining("cannot read");
    }

    @Test
    void beyondLoopbackItListensOnlyWhereThatWasAllowed() {
        ScalerSettings everywhere = settings("0.0.0.0", 0, null, null);

        assertThatThrownBy(() -> new ScalerGuard(everywhere, new SecuritySettings(false, null)).check())
                .isInstanceOf(BadConfigurationException.class)
                .hasMessageContaining("0.0.0.0 is reachable from other machines");
        new ScalerGuard(everywhere, new SecuritySettings(true, null)).check();
        new ScalerGuard(settings("127.0.0.1", 0, null, null), new SecuritySettings(false, null)).check();
    }
}
