package io.gpusnap.node.inventory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gpusnap.node.client.Inventory;
import io.gpusnap.node.client.Task;
import io.gpusnap.node.engine.EngineSettings;
import io.gpusnap.node.engine.Engines;
import io.gpusnap.node.engine.device.RebuildablePolicy;
import io.gpusnap.node.engine.device.StoragePolicy;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.OperationId;
import io.gpusnap.node.operation.OperationKind;
import io.gpusnap.node.operation.OperationSpec;
import io.gpusnap.node.operation.Stage;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.operation.StagePlan;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Real engines on a node where libgpusnap is missing: nothing breaks, and everything says why. */
class NodeWithoutGpuTest {

    @TempDir
    Path folder;

    private Engines engines;

    @BeforeEach
    void open() throws Exception {
        engines = Engines.open(settings("pool"));
    }

    private EngineSettings settings(String pool) {
        return new EngineSettings(
                folder.resolve("state"),
                folder.resolve("nvme"),
                0,
                folder.resolve(pool),
                4 * EngineSettings.SLOT_BYTES,
                folder.resolve("scratch"),
                Optional.of(folder.resolve("no-criu")),
                folder.resolve("no-libraries"),
                Optional.empty(),
                1,
                RebuildablePolicy.none(),
                new StoragePolicy(StoragePolicy.Use.AUTO, Optional.empty()));
    }

    @AfterEach
    void close() {
        engines.close();
    }

    @Test
    void theInventoryTellsTheMachineAndTheReasonOfWhatIsMissing() {
        Inventory inventory = new NodeInventory(engines).read();

        assertThat(inventory.os()).isNotBlank();
        assertThat(inventory.kernelRelease()).isNotBlank();
        assertThat(inventory.memoryBytes()).isPositive();
        assertThat(inventory.gpus()).isEmpty();
        assertThat(inventory.driverBuild()).isNull();
        assertThat(inventory.criuVersion()).isNull();
        assertThat(inventory.tiers()).extracting(Inventory.Tier::kind).containsExactly("MEMORY", "NVME");
        assertThat(inventory.snapshots()).isEmpty();
        assertThat(inventory.capabilities())
                .extracting(Inventory.Capability::name)
                .contains("suspend", "criu+cuda", "container-thaw", "direct-storage");
        assertThat(inventory.capabilities())
                .filteredOn(one -> List.of("suspend", "criu+cuda", "criu", "container-thaw", "direct-storage")
                        .contains(one.name()))
                .allSatisfy(one -> {
                    assertThat(one.available()).isFalse();
                    assertThat(one.reason()).isNotBlank();
                });
    }

    @Test
    void lookingTellsTheSameAndMakesNoPool() throws Exception {
        Inventory worked = new NodeInventory(engines).read();
        engines.close();

        engines = Engines.look(settings("other"));

        Inventory looked = new NodeInventory(engines).read();
        assertThat(looked.capabilities()).isEqualTo(worked.capabilities());
        assertThat(looked.tiers().getFirst().capacityBytes())
                .isEqualTo(worked.tiers().getFirst().capacityBytes());
        assertThat(folder.resolve("other")).doesNotExist();
        assertThat(folder.resolve("other.index")).doesNotExist();
    }

    @Test
    void everyKindOfTaskIsPlanned() throws Exception {
        UUID snapshot = UUID.randomUUID();
        Task.Process process = new Task.Process(4711, 1, "llm");

        assertThat(plan(OperationKind.SAVE, new Task.Save(snapshot, "suspend", process, "STOP", null, null, null))
                        .stageNames())
                .startsWith("preflight", "quiesce", "drain", "release", "checkpoint")
                .endsWith("commit");
        assertThat(plan(
                                OperationKind.THAW,
                                new Task.Thaw(snapshot, "criu+cuda", "ab", Map.of(0, "GPU-1"), null, null, null))
                        .stageNames())
                .contains("criu-restore", "fill");
        assertThat(plan(OperationKind.VERIFY, new Task.Verify(snapshot, null)).stageNames())
                .containsExactly("verify");
        assertThat(plan(OperationKind.VERIFY, new Task.Verify(snapshot, "ab")).stageNames())
                .containsExactly("verify", "compare-manifest");
        assertThat(plan(OperationKind.DELETE, new Task.Delete(snapshot)).stages())
                .extracting(Stage::name)
                .isNotEmpty();
    }

    @Test
    void whatCannotBePlannedIsTyped() {
        Task.Process process = new Task.Process(4711, 1, "llm");
        assertCode(
                new Task.Save(UUID.randomUUID(), "other", process, "STOP", null, null, null),
                FailureCode.CAPABILITY_MISSING);
        assertCode(
                new Task.Save(UUID.randomUUID(), "NOT A NAME", process, "STOP", null, null, null),
                FailureCode.INTERNAL);
        assertCode(
                new Task.Save(UUID.randomUUID(), "suspend", process, "EXPLODE", null, null, null),
                FailureCode.INTERNAL);
        assertCode(new Task.Save(UUID.randomUUID(), "suspend", process, "STOP", null, null, 0), FailureCode.INTERNAL);
    }

    @Test
    void machineFactsComeFromTheFilesOfTheSystem() throws Exception {
        Path release =
                Files.writeString(folder.resolve("os-release"), "ID=debian\nPRETTY_NAME=\"Debian 13 (trixie)\"\n");
        Path meminfo = Files.writeString(folder.resolve("meminfo"), "MemTotal:       2048 kB\nMemFree:   1 kB\n");

        assertThat(MachineFacts.read(release, meminfo).os()).isEqualTo("Debian 13 (trixie)");
        assertThat(MachineFacts.read(release, meminfo).memoryBytes()).isEqualTo(2048 << 10);
        assertThat(MachineFacts.read(folder.resolve("none"), meminfo).os()).isEqualTo("Linux");
    }

    private StagePlan plan(OperationKind kind, Record request) throws StageException {
        return new EnginePlans(engines).plan(new OperationSpec(OperationId.random(), kind, request));
    }

    private void assertCode(Record request, FailureCode code) {
        assertThatThrownBy(() -> plan(OperationKind.SAVE, request))
                .isInstanceOfSatisfying(
                        StageException.class, e -> assertThat(e.code()).isEqualTo(code));
    }
}
