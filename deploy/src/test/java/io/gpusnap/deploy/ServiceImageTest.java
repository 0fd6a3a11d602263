package io.gpusnap.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The image as Jib leaves it in a file; here on an empty base, so what is looked at is what this build puts on top. */
class ServiceImageTest {
    private static final Path TAR = Repository.path("snapshot-service", "target", "snapshot-service-image.tar");

    private static JsonObject config;
    private static final List<TarArchiveEntry> FILES = new ArrayList<>();
    private static final Map<String, String> TEXTS = new HashMap<>();

    @BeforeAll
    static void read() throws IOException {
        assertThat(TAR)
                .as("made by -Pimage -Dgpusnap.image.base=scratch, as make test and make helm-test do")
                .exists();
        Map<String, byte[]> parts = new HashMap<>();
        try (TarArchiveInputStream image = new TarArchiveInputStream(Files.newInputStream(TAR))) {
            for (TarArchiveEntry part = image.getNextEntry(); part != null; part = image.getNextEntry()) {
                if (part.getName().endsWith(".json")) {
                    parts.put(part.getName(), image.readAllBytes());
                } else if (part.getName().endsWith(".tar.gz")) {
                    layer(image);
                }
            }
        }
        config = new Gson()
                .fromJson(new String(parts.get("config.json"), StandardCharsets.UTF_8), JsonObject.class)
                .getAsJsonObject("config");
    }

    private static void layer(InputStream compressed) throws IOException {
        TarArchiveInputStream layer =
                new TarArchiveInputStream(new GZIPInputStream(new ByteArrayInputStream(compressed.readAllBytes())));
        for (TarArchiveEntry file = layer.getNextEntry(); file != null; file = layer.getNextEntry()) {
            FILES.add(file);
            if (file.getName().startsWith("app/jib-") || file.getName().startsWith("etc/")) {
                TEXTS.put(file.getName(), new String(layer.readAllBytes(), StandardCharsets.UTF_8));
            }
        }
    }

    private static List<String> strings(JsonArray array) {
        return array.asList().stream().map(element -> element.getAsString()).toList();
    }

    @Test
    void itRunsTheServiceAsNobody() {
        assertThat(config.get("User").getAsString()).isEqualTo("65532:65532");
        assertThat(strings(config.getAsJsonArray("Entrypoint")))
                .startsWith("java")
                .containsSequence("-cp", "@/app/jib-classpath-file")
                .endsWith("io.gpusnap.service.ServiceApplication");
        assertThat(config.getAsJsonObject("ExposedPorts").keySet())
                .containsExactlyInAnyOrder("8080/tcp", "6000/tcp", "9443/tcp");
    }

    @Test
    void everythingOfTheServiceIsThereAndNothingElse() {
        List<String> names = FILES.stream()
                .filter(TarArchiveEntry::isFile)
                .map(TarArchiveEntry::getName)
                .toList();

        assertThat(names)
                .contains(
                        "app/classes/io/gpusnap/service/ServiceApplication.class",
                        "app/resources/application.yaml",
                        "app/resources/db/migrations/V0001__nodes_and_workloads.sql")
                .allMatch(name -> name.startsWith("app/") || name.equals("etc/passwd") || name.equals("etc/group"))
                .noneMatch(name -> name.contains("/test")
                        || name.contains("junit")
                        || name.endsWith(".p12")
                        || name.contains("access-token"));
        // PostgreSQL's initdb does not start for a user without a name
        assertThat(TEXTS.get("etc/passwd")).contains(":65532:65532:");
        assertThat(TEXTS.get("app/jib-classpath-file"))
                .startsWith("/app/resources:/app/classes:")
                .contains("/app/libs/postgresql-");
    }

    @Test
    void nobodyMayWriteToItAndTwoBuildsAreEqual() {
        assertThat(FILES).isNotEmpty().allSatisfy(file -> {
            assertThat(file.getMode() & 0022).as(file.getName()).isZero();
            assertThat(file.getLongUserId()).as(file.getName()).isZero();
            // a time of the build would make every layer a new one
            assertThat(file.getLastModifiedDate().toInstant().getEpochSecond()).isLessThanOrEqualTo(1);
        });
    }
}
