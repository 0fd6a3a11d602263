package io.gpusnap.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Key;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What the chart writes for the daemon is what the daemon takes, and what it names is mounted. */
class DaemonConfigurationTest {
    @TempDir
    private Path scratch;

    static Stream<String> sets() {
        return Chart.VALUE_SETS.stream();
    }

    private static Map<String, Object> manifest(String set, String name) {
        return Yamls.documents(Chart.render(set)).stream()
                .filter(one -> Manifests.name(one).equals(name))
                .findFirst()
                .orElseThrow();
    }

    private static String text(String set) {
        return String.valueOf(Yamls.at(manifest(set, "v1/ConfigMap gpusnap-daemon"), "data", "node.properties"));
    }

    private static Map<String, Object> container(String set) {
        return Yamls.maps(Yamls.at(
                        manifest(set, "apps/v1/DaemonSet gpusnap-daemon"), "spec", "template", "spec", "containers"))
                .getFirst();
    }

    /** Settings of its environment, as the kubelet fills them in. */
    private static Map<String, String> environment(String set) {
        return Yamls.maps(container(set).get("env")).stream()
                .filter(one -> String.valueOf(one.get("name")).startsWith("GPUSNAP_NODE_") && one.containsKey("value"))
                .collect(Collectors.toMap(
                        one -> String.valueOf(one.get("name")),
                        one -> String.valueOf(one.get("value")).replace("$(POD_IP)", "10.1.2.3")));
    }

    @ParameterizedTest
    @MethodSource("sets")
    void theDaemonTakesIt(String set) throws Exception {
        // given its folders under one that is ours; memory of this size may be more than this machine has
        String ours = text(set)
                .replaceAll("= /(var|mnt|dev|etc)/", "= " + scratch + "/$1/")
                .replaceAll("(memory.poolBytes = ).*", "$164MiB");
        Path config = Files.writeString(scratch.resolve("node.properties"), ours);
        Files.writeString(
                Files.createDirectories(scratch.resolve("etc/gpusnap/token")).resolve("access-token"),
                "0123456789abcdef0123456789abcdef");
        Files.writeString(
                Files.createDirectories(scratch.resolve("etc/gpusnap/s3")).resolve("credentials"),
                "accessKeyId = a\nsecretAccessKey = b\n");
        Files.createDirectories(scratch.resolve("mnt/gpusnap/nfs"));
        giveKeys();

        // when a command reads it that changes nothing
        ProcessBuilder command = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        System.getProperty("java.class.path"),
                        "io.gpusnap.node.Main",
                        "list",
                        "--config",
                        config.toString())
                .redirectErrorStream(true);
        command.environment().putAll(environment(set));
        Process list = command.start();
        String said = new String(list.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

        // then
        assertThat(list.waitFor()).as(said).isZero();
        assertThat(said).doesNotContain("CONFIGURATION");
    }

    /** As the Secrets and the ConfigMap have them. */
    private void giveKeys() throws IOException, NoSuchAlgorithmException {
        KeyPair signer = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
        Map.of(
                        "keys/keys",
                        "0123456789abcdef".repeat(4) + "\n",
                        "vault/token",
                        "hvs.token\n",
                        "signing/signing-key.pem",
                        pem("PRIVATE", signer.getPrivate()),
                        "trusted/trusted-keys.pem",
                        pem("PUBLIC", signer.getPublic()))
                .forEach((name, content) -> {
                    try {
                        Path file = scratch.resolve("etc/gpusnap").resolve(name);
                        Files.createDirectories(file.getParent());
                        Files.writeString(file, content);
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                });
    }

    private static String pem(String kind, Key key) {
        return "-----BEGIN %s KEY-----\n%s\n-----END %s KEY-----\n"
                .formatted(kind, Base64.getMimeEncoder().encodeToString(key.getEncoded()), kind);
    }

    @ParameterizedTest
    @MethodSource("sets")
    void everyPathInItIsMounted(String set) throws IOException {
        Properties properties = new Properties();
        properties.load(new StringReader(text(set)));
        List<String> mounts = Yamls.maps(container(set).get("volumeMounts")).stream()
                .map(mount -> String.valueOf(mount.get("mountPath")))
                .toList();

        assertThat(properties).hasSizeGreaterThan(7);
        properties.forEach((key, value) -> {
            String path = String.valueOf(value);
            if (path.startsWith("/") && !path.startsWith("/opt/gpusnap/")) {
                assertThat(mounts).as("%s = %s", key, path).anyMatch(path::startsWith);
            }
        });
    }
}
