package io.gpusnap.node.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** With real tiers, as an operator tries them out. */
class TiersCommandTest {

    @TempDir
    Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private Path share;

    @BeforeEach
    void makeShare() throws Exception {
        share = Files.createDirectories(folder.resolve("share"));
    }

    private int run(String... arguments) {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.addAll(List.of(
                "--state-dir",
                folder.resolve("state").toString(),
                "--memory-pool-bytes",
                "16MiB",
                "--memory-pool-path",
                folder.resolve("pool").toString(),
                "--node-name",
                "node-1",
                "--nfs-root",
                share.toString(),
                "--nfs-name",
                "archive"));
        return NodeCommandLine.run(
                all.toArray(String[]::new),
                new PrintWriter(out, true),
                new PrintWriter(err, true),
                false,
                Map.of(),
                new EngineOpener());
    }

    @Test
    void listShowsEveryTierWithItsName() {
        assertThat(run("tiers", "list")).as(err.toString()).isZero();
        assertThat(out.toString().lines().map(line -> line.split(" +", 4)[0]))
                .containsExactly("memory", "nvme", "archive");
        assertThat(out.toString())
                .contains("HEALTHY")
                .doesNotContain("UNHEALTHY")
                .contains(share.toString());
    }

    @Test
    void validateTriesEverythingOutAndLeavesNothingBehind() throws Exception {
        assertThat(run("tiers", "validate")).as(out.toString()).isZero();
        assertThat(out.toString().lines())
                .allMatch(line -> line.startsWith("ok "))
                .hasSizeGreaterThan(8);
        assertThat(out.toString())
                .contains("a write that was cut off left nothing")
                .contains("atomic-publish");
        try (var files = Files.walk(share)) {
            assertThat(files.filter(Files::isRegularFile)).containsExactly(share.resolve("gpusnap-store.json"));
        }
    }

    @Test
    void asJsonEachCheckHasItsFiguresAndItsMend() throws Exception {
        assertThat(run("tiers", "validate", "--json", "--tier", "archive")).isZero();
        JsonNode checks = JsonMapper.shared().readTree(out.toString());
        JsonNode throughput = checks.valueStream()
                .filter(check -> check.path("name").asString().equals("throughput"))
                .findFirst()
                .orElseThrow();
        assertThat(throughput.at("/figures/readBytesPerSecond").asDouble()).isPositive();
        assertThat(throughput.path("mend").asString("-")).isEmpty();
    }

    @Test
    void aShareThatIsGoneFailsWithWhatIsWrong() throws Exception {
        Files.delete(share);
        assertThat(run("tiers", "validate", "--tier", "archive")).isEqualTo(1);
        assertThat(out.toString().lines()).allMatch(line -> line.startsWith("failed "));
        assertThat(out.toString()).contains(share.toString()).contains(" - mount what is meant");
        assertThat(run("tiers", "list")).isZero();
        assertThat(out.toString()).contains("UNHEALTHY");
    }

    @Test
    void aTierThatNobodyHasIsSaid() {
        assertThat(run("tiers", "validate", "--tier", "nowhere")).isEqualTo(2);
        assertThat(err.toString()).contains("TIER_MISMATCH").contains("nowhere").contains("tiers list");
        assertThat(run("tiers")).isEqualTo(2);
        assertThat(run("push", "019ab7d6-1f44-7c52-8a6b-0d9e8c7b6a02", "--tier", "nowhere"))
                .isEqualTo(1);
        assertThat(err.toString()).contains("this node has no shared tier nowhere; there are memory, nvme, archive");
    }
}
