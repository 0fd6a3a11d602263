package io.gpusnap.service.kubernetes.crd;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.crdv2.generator.CRDGenerator;
import io.fabric8.kubernetes.client.CustomResource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** deploy/crds is what the Java types say; {@code -Dgpusnap.crds.update=true} writes it. */
class CrdFilesTest {
    static final Path FOLDER = Path.of(System.getProperty("gpusnap.root", ".."), "deploy", "crds");

    @TempDir
    private Path generated;

    @Test
    void theFilesAreWhatTheTypesSay() throws IOException {
        generate();
        if (Boolean.getBoolean("gpusnap.crds.update")) {
            Files.createDirectories(FOLDER);
            for (Path file : files(generated)) {
                Files.writeString(FOLDER.resolve(name(file)), Files.readString(file));
            }
        }

        assertThat(files(FOLDER).stream().map(CrdFilesTest::name))
                .containsExactlyElementsOf(
                        files(generated).stream().map(CrdFilesTest::name).toList());
        for (Path file : files(generated)) {
            assertThat(FOLDER.resolve(name(file))).hasSameTextualContentAs(file);
        }
    }

    private void generate() {
        @SuppressWarnings({"unchecked", "rawtypes"})
        Class<? extends CustomResource<?, ?>>[] types =
                new Class[] {SnapshotPolicy.class, PodSnapshot.class, SnapshotContent.class, Model.class};
        new CRDGenerator()
                .inOutputDir(generated.toFile())
                .forCRDVersions("v1")
                .customResourceClasses(types)
                .generate();
    }

    private static String name(Path file) {
        return file.getFileName().toString().replace("-v1.yml", ".yaml");
    }

    private static java.util.List<Path> files(Path folder) throws IOException {
        try (Stream<Path> all = Files.list(folder)) {
            return all.sorted().toList();
        }
    }
}
