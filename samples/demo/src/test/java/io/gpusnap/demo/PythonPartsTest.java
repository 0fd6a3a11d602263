package io.gpusnap.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The Python parts beside the demo have tests of their own; here they run with all others. */
class PythonPartsTest {

    private static final Path ROOT = Path.of(System.getProperty("gpusnap.root"));

    private record Outcome(int status, String output) {}

    @BeforeEach
    void needsPython() throws Exception {
        boolean there;
        try {
            there = run(ROOT, "python3", "-c", "import sys; sys.exit(sys.version_info < (3, 11))")
                            .status()
                    == 0;
        } catch (IOException notFound) {
            there = false;
        }
        assumeTrue(
                there,
                "no python3 3.11 or newer here: the tests of bench/gpu, bench/store, bench/soak, python and samples/llm-server are not run");
    }

    @Test
    void theBenchmarksOwnTestsPass() throws Exception {
        assertThatAllTestsPassIn("bench/gpu");
    }

    @Test
    void theTestsOfTheStoresBenchmarksPass() throws Exception {
        assertThatAllTestsPassIn("bench/store");
    }

    @Test
    void theSoaksOwnTestsPass() throws Exception {
        assertThatAllTestsPassIn("bench/soak");
    }

    private static void assertThatAllTestsPassIn(String folder) throws Exception {
        Outcome tests = run(ROOT.resolve(folder), "python3", "-B", "-m", "unittest", "discover", "-s", ".", "-t", ".");

        assertThat(tests.status()).as(tests.output()).isZero();
        assertThat(tests.output()).containsPattern("Ran [1-9][0-9]* tests");
    }

    @Test
    void theLlmServersHttpSidePassesItsTests() throws Exception {
        Outcome tests = run(ROOT.resolve("samples/llm-server"), "python3", "-B", "-m", "unittest");

        assertThat(tests.status()).as(tests.output()).isZero();
        assertThat(tests.output()).containsPattern("Ran [1-9][0-9]* tests");
    }

    @Test
    void thePythonModulePassesItsTestsWithAndWithoutThePreload() throws Exception {
        Path preload = ROOT.resolve("gpu-native/target/native/lib/libgpusnap-preload.so");
        assumeTrue(Files.exists(preload), "not built: " + preload + " (scripts/build-native.sh build)");

        Outcome tests = run(
                ROOT.resolve("python"), "python3", "-B", "-m", "unittest", "discover", "-s", "tests", "-t", "tests");

        assertThat(tests.status()).as(tests.output()).isZero();
        assertThat(tests.output()).containsPattern("Ran [1-9][0-9]* tests").doesNotContain("skipped");
    }

    @Test
    void theBenchmarkReportIsWhatTheRawResultsSay() throws Exception {
        Outcome check = run(ROOT, "python3", "-B", "bench/report", "--check");

        assertThat(check.status()).as(check.output()).isZero();
    }

    private static Outcome run(Path folder, String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(List.of(command))
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Outcome(process.waitFor(), output);
    }
}
