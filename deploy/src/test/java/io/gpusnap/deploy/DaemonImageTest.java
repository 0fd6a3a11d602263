package io.gpusnap.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The daemon's Dockerfile. No engine builds it here: what can be said of it without one is said. */
class DaemonImageTest {
    private static final Path FOLDER = Repository.path("deploy", "images", "node-daemon");

    private record Instruction(String name, String rest) {}

    private static List<Instruction> instructions() {
        String joined = Repository.read(FOLDER.resolve("Dockerfile"))
                .replaceAll("(?m)^\\s*#.*\n", "")
                .replaceAll("\\\\\n\\s*", " ");
        List<Instruction> all = new ArrayList<>();
        for (String line : joined.lines().filter(line -> !line.isBlank()).toList()) {
            int space = line.indexOf(' ');
            all.add(new Instruction(
                    line.substring(0, space), line.substring(space + 1).strip()));
        }
        return all;
    }

    private static List<String> of(String name) {
        return instructions().stream()
                .filter(one -> one.name().equals(name))
                .map(Instruction::rest)
                .toList();
    }

    private static Map<String, String> arguments() {
        Map<String, String> defaults = new TreeMap<>();
        for (String argument : of("ARG")) {
            String[] parts = argument.split("=", 2);
            defaults.put("${" + parts[0] + "}", parts[1]);
        }
        return defaults;
    }

    @Test
    void everyBaseIsNamedByAVersion() {
        Map<String, String> arguments = arguments();

        assertThat(of("FROM")).hasSizeGreaterThan(2).allSatisfy(from -> {
            String image = from.split(" ")[0];
            assertThat(arguments.getOrDefault(image, image))
                    .matches("[a-z0-9./-]+(:[a-z0-9._-]*[0-9][a-z0-9._-]*|@sha256:[0-9a-f]{64})")
                    .doesNotContain("latest");
        });
    }

    @Test
    void stagesThatAreCopiedFromAreThere() {
        List<String> stages = of("FROM").stream()
                .filter(from -> from.contains(" AS "))
                .map(from -> from.replaceAll(".* AS ", ""))
                .toList();

        assertThat(of("COPY").stream()
                        .filter(copy -> copy.startsWith("--from="))
                        .map(copy -> copy.replaceAll("--from=(\\S+).*", "$1")))
                .isNotEmpty()
                .isSubsetOf(stages);
    }

    @Test
    void whatComesFromTheTreeIsInTheTree() {
        List<String> sources = new ArrayList<>();
        for (String copy : of("COPY")) {
            if (!copy.startsWith("--from=")) {
                String[] words = copy.split(" ");
                sources.addAll(List.of(words).subList(0, words.length - 1));
            }
        }

        assertThat(sources)
                .isNotEmpty()
                .allSatisfy(source -> assertThat(Repository.path(source)).exists());
    }

    @Test
    void noSecretGoesIntoIt() {
        assertThat(instructions())
                .allSatisfy(one -> assertThat(one.rest())
                        .doesNotContainPattern("(?i)(password|token|secret|api_?key|credential)\\s*="));
        assertThat(of("ADD")).as("nothing is fetched without a check").isEmpty();
        assertThat(of("RUN"))
                .noneMatch(
                        run -> Pattern.compile("\\b(curl|wget)\\b").matcher(run).find());
    }

    @Test
    void packagesLeaveNoListsBehind() {
        assertThat(of("RUN").stream().filter(run -> run.contains("apt-get install")))
                .isNotEmpty()
                .allSatisfy(run ->
                        assertThat(run).contains("--no-install-recommends").contains("rm -rf /var/lib/apt/lists/*"));
    }

    @Test
    void itStartsTheDaemonAndSaysThatItIsRoot() {
        List<Instruction> all = instructions();

        assertThat(of("ENTRYPOINT")).containsExactly("[\"/opt/gpusnap/node-daemon/bin/gpusnap-node\"]");
        assertThat(of("USER")).containsExactly("0");
        assertThat(all.getLast()).isEqualTo(new Instruction("CMD", "[\"run\"]"));
        assertThat(Repository.path("node-daemon", "bin", "gpusnap-node")).isExecutable();
    }

    @Test
    void libraryFilesAreReplacedAndNotWrittenInto(@TempDir Path scratch) throws IOException, InterruptedException {
        // given an installed library that a process has open
        Path image = Files.createDirectory(scratch.resolve("image"));
        Path host = Files.createDirectory(scratch.resolve("host"));
        Files.writeString(image.resolve("libgpusnap-preload.so"), "old");
        install(image, host);
        try (InputStream mapped = Files.newInputStream(host.resolve("libgpusnap-preload.so"))) {
            // when a new one is installed
            Files.writeString(image.resolve("libgpusnap-preload.so"), "newer");
            Files.writeString(image.resolve("gpusnap-placeholder"), "placeholder");
            install(image, host);

            // then who had it open still has the old one
            assertThat(new String(mapped.readAllBytes(), StandardCharsets.UTF_8))
                    .isEqualTo("old");
        }
        assertThat(host.resolve("libgpusnap-preload.so")).hasContent("newer").isExecutable();
        assertThat(host.resolve("gpusnap-placeholder")).hasContent("placeholder");
        assertThat(Repository.files(host, "")).hasSize(2);
    }

    private static void install(Path image, Path host) throws IOException, InterruptedException {
        ProcessBuilder command =
                new ProcessBuilder(FOLDER.resolve("install-lib").toString(), host.toString()).redirectErrorStream(true);
        command.environment().put("GPUSNAP_NATIVE_DIR", image.toString());
        Process process = command.start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(said).isZero();
    }

    /** The chart's paths and the image's are the same ones. */
    @Test
    void theChartCallsWhatIsThere() {
        String chart = Chart.render("kind");
        Matcher called = Pattern.compile("/opt/gpusnap/[a-z/.0-9-]+").matcher(chart);
        List<String> copied =
                of("COPY").stream().map(copy -> copy.replaceAll(".* ", "")).toList();

        assertThat(called.results().map(found -> found.group()).distinct())
                .isNotEmpty()
                .allSatisfy(path -> assertThat(path)
                        .satisfiesAnyOf(
                                one -> assertThat(copied).anyMatch(one::startsWith),
                                one -> assertThat(one).startsWith("/opt/gpusnap/simulated/")));
    }
}
