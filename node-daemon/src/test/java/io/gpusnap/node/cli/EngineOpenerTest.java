package io.gpusnap.node.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.gpusnap.node.config.NodeSettings;
import io.gpusnap.node.config.RebuildableSettings;
import io.gpusnap.node.config.StorageSettings;
import io.gpusnap.node.config.ThawSettings;
import io.gpusnap.node.config.TierSettings;
import io.gpusnap.node.metrics.ChunkMeters;
import io.gpusnap.node.process.ProcFs;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.tier.NvmeTier;
import io.gpusnap.node.tier.StoreRoot;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EngineOpenerTest {

    @TempDir
    Path folder;

    @Test
    void aFolderThatIsNotOursAloneIsAConfigurationProblemThatNamesItsProperty() throws Exception {
        Path open = Files.createDirectory(folder.resolve("open"));
        Files.setAttribute(open, "unix:mode", 0777);
        Path sound = folder.resolve("sound");

        refused("scratch.dir " + open, settings(sound.resolve("pool"), open));
        refused("memory.poolPath " + open, settings(open.resolve("pool"), sound));
        assertThat(open).isEmptyDirectory();
    }

    @Test
    void onceAllHasRecoveredTheNodesOwnStoreIsLookedThrough() throws Exception {
        byte[] content = {1, 2, 3};
        try (StoreRoot root = StoreRoot.open(folder.resolve("nvme"));
                NvmeTier left = new NvmeTier(root, 0)) {
            left.put(new ChunkDigest("ab".repeat(32)), MemorySegment.ofArray(content));
            left.sync();
        }
        Path own = folder.resolve("own");
        try (NodeAccess node = new EngineOpener().open(settings(own.resolve("pool"), own.resolve("scratch")))) {
            assertThat(node.orphans()).isEqualTo(new ChunkMeters.Orphans(0, 0, 0, 0));

            node.recovered();

            await().untilAsserted(() -> assertThat(node.orphans()).isEqualTo(new ChunkMeters.Orphans(1, 0, 1, 0)));
        }
    }

    @Test
    void onceAllHasRecoveredWhatADeadSuspendedProcessLeftIsEnded() throws Exception {
        Process left = new ProcessBuilder("sleep", "1000").start();
        ProcFs proc = new ProcFs();
        ProcessId name = proc.stat((int) left.pid()).orElseThrow().id();
        Path suspended = Files.createDirectories(folder.resolve("state/suspended"));
        String dead = name.pid() + "-" + (name.startTimeTicks() - 1);
        Files.writeString(suspended.resolve(dead), SnapshotId.random() + "\n");
        Files.writeString(
                suspended.resolve(dead + ".tree"),
                "%s\n%s\n%d-%d\n"
                        .formatted(
                                proc.bootId().orElseThrow(),
                                proc.pidNamespace().orElseThrow(),
                                name.pid(),
                                name.startTimeTicks()));
        Path own = folder.resolve("own");
        try (NodeAccess node = new EngineOpener().open(settings(own.resolve("pool"), own.resolve("scratch")))) {
            assertThat(left.isAlive()).isTrue();

            node.recovered();

            await().until(() -> !left.isAlive());
        } finally {
            left.destroyForcibly();
        }
    }

    private static void refused(String names, NodeSettings settings) {
        assertThatThrownBy(() -> new EngineOpener().open(settings))
                .isInstanceOfSatisfying(CommandException.class, e -> {
                    assertThat(e.exitCode()).isEqualTo(ExitCode.USAGE);
                    assertThat(e.line())
                            .startsWith("CONFIGURATION: " + names)
                            .contains("chmod go-w")
                            .doesNotContain("\n");
                });
    }

    private NodeSettings settings(Path pool, Path scratch) {
        return new NodeSettings(
                Optional.empty(),
                "node-1",
                folder.resolve("state"),
                folder.resolve("nvme"),
                0,
                Duration.ofMinutes(15),
                Duration.ofDays(7),
                10L << 30,
                pool,
                16L << 20,
                scratch,
                false,
                Optional.empty(),
                folder.resolve("no-libraries"),
                Optional.empty(),
                Duration.ofMinutes(5),
                Optional.empty(),
                1,
                new RebuildableSettings(Optional.empty(), 4L << 20),
                new StorageSettings(StorageSettings.Direct.AUTO, Optional.empty()),
                new ThawSettings(true, false),
                TierSettings.none(),
                1,
                Duration.ZERO,
                List.of());
    }
}
