package io.gpusnap.node.criu;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;

/** The CRIU that scripts/bootstrap.sh found: from GPUSNAP_CRIU, else from build/env.sh. */
public final class TestCriu {

    private TestCriu() {}

    public static Optional<Path> path() throws IOException {
        String named = System.getenv("GPUSNAP_CRIU");
        if (named != null && !named.isEmpty()) {
            return Optional.of(Path.of(named));
        }
        Path file = Path.of(System.getProperty("gpusnap.root", "..")).resolve("build/env.sh");
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        return Files.readAllLines(file).stream()
                .filter(line -> line.startsWith("GPUSNAP_CRIU="))
                .map(line -> line.substring("GPUSNAP_CRIU=".length())
                        .replace("\\", "")
                        .replace("'", ""))
                .filter(value -> !value.isEmpty())
                .map(Path::of)
                .findFirst();
    }

    /** Ends the test, with the reason, where CRIU cannot run. */
    public static CriuRunner require() throws Exception {
        CriuRunner runner = new CriuRunner(path().map(Path::toString).orElse("criu"), Duration.ofSeconds(60));
        CriuProbe probe = runner.probe();
        Assumptions.assumeTrue(probe.available(), probe.reason());
        return runner;
    }
}
