package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.gpu.GpuStatus;
import io.gpusnap.node.criu.TestCriu;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.OperationOutcome;
import io.gpusnap.node.operation.StageListener;
import io.gpusnap.node.process.ProcFs;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.process.ProcessTree;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.Manifest;
import io.gpusnap.node.store.ManifestJson;
import io.gpusnap.node.store.Manifests;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.tier.Slot;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A server with a large host memory, and a child with another, through save and thaw. */
class HostAreasIT {

    private static final List<String> LARGE = List.of("--host-mib", "80", "--side-mib", "40");

    @TempDir
    Path folder;

    private final ProcFs proc = new ProcFs();
    private FailingGpu gpu;
    private TestNode node;
    private TestWorkload workload;
    private String answer;

    @BeforeEach
    void open() throws Exception {
        TestNatives.require();
        TestCriu.require();
        open(TestNode.POOL_BYTES);
    }

    private void open(long poolBytes) throws Exception {
        open(TestNode.settings(folder, poolBytes));
    }

    private void open(EngineSettings settings) throws Exception {
        node = FailingGpu.node(settings, made -> gpu = made);
    }

    @AfterEach
    void end() throws Exception {
        if (workload != null) {
            workload.close();
        }
        node.close();
        TestNode.cleanUp(folder);
    }

    private SaveOutcome saved(List<String> arguments, AfterSave afterSave) throws Exception {
        workload = TestWorkload.start(folder.resolve("workload"), Map.of(), arguments);
        answer = workload.answer("warm");
        return node.save(EngineId.CRIU_CUDA, workload, afterSave).succeeded().fact(SaveOutcome.class);
    }

    private ThawOutcome thaw(SnapshotId snapshot) throws Exception {
        ThawOutcome thaw = node.thaw(EngineId.CRIU_CUDA, snapshot).succeeded().fact(ThawOutcome.class);
        workload.became(new ProcessId(thaw.pid(), thaw.startTimeTicks()));
        return thaw;
    }

    @Test
    void aServerAndItsChildComeBackWithAllTheirMemory() throws Exception {
        // given
        SaveOutcome save = saved(LARGE, AfterSave.STOP);
        // then both have areas, with zeros among them, and little is left for CRIU
        Manifest manifest = node.engines().manifest(save.snapshot());
        Manifest.Host host = manifest.host();
        Set<Integer> tasks =
                host.areas().stream().map(Manifest.HostArea::taskId).collect(Collectors.toSet());
        assertThat(tasks).hasSize(2).contains(workload.process().pid());
        assertThat(manifest.process().taskIds()).containsAll(tasks);
        assertThat(host.areasBytes()).isGreaterThan(70L << 20).isGreaterThan(4 * host.filesBytes());
        assertThat(host.areas().stream().flatMap(area -> area.chunks().stream()))
                .anyMatch(ChunkRef::isZero)
                .anyMatch(chunk -> !chunk.isZero());
        assertThat(manifest.totals().hostBytes()).isEqualTo(host.areasBytes() + host.filesBytes());
        // when
        ThawOutcome thaw = thaw(save.snapshot());
        // then
        assertThat(workload.answer("warm")).isEqualTo(answer);
        assertThat(thaw.stageSeconds()).containsKey("fill-host");
        // and a snapshot of what came back is nearly the same
        SaveOutcome again = node.save(EngineId.CRIU_CUDA, workload, AfterSave.KEEP_RUNNING)
                .succeeded()
                .fact(SaveOutcome.class);
        assertThat(again.totals().storedBytes()).isLessThan(save.totals().storedBytes() / 10);
        assertThat(workload.answer("warm")).isEqualTo(answer);
    }

    @Test
    void memoryThatWasNeverTouchedIsNotTakenByAThaw() throws Exception {
        // given 6 MiB of gaps that lie between pages with content
        SaveOutcome save = saved(LARGE, AfterSave.KEEP_RUNNING);
        long before = residentBytes();
        Manifest manifest = node.engines().manifest(save.snapshot());
        List<Manifest.HostArea> areas = manifest.host().areas().stream()
                .filter(area -> area.taskId() == workload.process().pid())
                .toList();
        assertThat(gapBytes(areas)).isGreaterThan(5L << 20);
        workload.end();
        // when
        thaw(save.snapshot());
        // then all that is gone are zeros, which need no memory, and nothing came instead
        assertThat(workload.answer("warm")).isEqualTo(answer);
        long zeroBytes = areas.stream()
                .flatMap(area -> area.chunks().stream())
                .filter(ChunkRef::isZero)
                .mapToLong(ChunkRef::sizeBytes)
                .sum();
        assertThat(residentBytes()).isLessThan(before - zeroBytes + (1L << 20));
    }

    /** Of gaps that are shorter than a piece of memory that was never touched. */
    private static long gapBytes(List<Manifest.HostArea> areas) {
        long bytes = 0;
        for (Manifest.HostArea area : areas) {
            for (int i = 1; i < area.runs().size(); i += 2) {
                bytes += area.runs().get(i) < 1024 ? area.runs().get(i) * Manifest.HostArea.PAGE_BYTES : 0;
            }
        }
        return bytes;
    }

    private long residentBytes() {
        return proc.status(workload.process().pid(), "RssAnon")
                .map(value -> Long.parseLong(value.split(" ")[0]) << 10)
                .orElseThrow();
    }

    @Test
    void aPoolWithoutRoomOnlyMakesItSlower() throws Exception {
        node.close();
        open(5L * Slot.BYTES);
        SaveOutcome save = saved(LARGE, AfterSave.STOP);
        thaw(save.snapshot());
        assertThat(workload.answer("warm")).isEqualTo(answer);
        assertThat(node.engines().tiers().getFirst().freeBytes()).isEqualTo(5L * Slot.BYTES);
    }

    @Test
    void aSpoiltAreaStopsTheThawBeforeAnythingRuns() throws Exception {
        // given
        SnapshotId snapshot = saved(LARGE, AfterSave.STOP).snapshot();
        spoilAnArea(snapshot);
        withAnEmptyPool();
        // when, then
        assertThatItFails(snapshot, FailureCode.CHUNK_CORRUPT);
        assertThatItFails(snapshot, FailureCode.CHUNK_MISSING);
        assertThat(node.verify(snapshot).failed().code()).isEqualTo(FailureCode.CHUNK_MISSING);
    }

    private void spoilAnArea(SnapshotId snapshot) throws Exception {
        String digest = node.engines().manifest(snapshot).host().areas().stream()
                .flatMap(area -> area.chunks().stream())
                .filter(chunk -> !chunk.isZero())
                .findFirst()
                .orElseThrow()
                .digest();
        Path file = folder.resolve("nvme/chunks/" + digest.substring(0, 2) + "/" + digest);
        byte[] bytes = Files.readAllBytes(file);
        bytes[bytes.length / 2] ^= 1;
        Files.write(file, bytes);
    }

    @Test
    void whatWasFoundSpoiltIsToldAlsoWhenCriuFailsMeanwhile() throws Exception {
        // given a spoilt area, and a CRIU that fails as soon as that was found
        SnapshotId snapshot = saved(LARGE, AfterSave.STOP).snapshot();
        spoilAnArea(snapshot);
        withAnEmptyPool();
        node.close();
        open(TestNode.withCriu(TestNode.settings(folder, TestNode.POOL_BYTES), failingCriu()));
        // when
        TestNode.Ended thawed = node.thaw(EngineId.CRIU_CUDA, snapshot);
        // then
        assertThat(thawed.failed().code()).isEqualTo(FailureCode.CRIU_FAILED);
        assertThat(thawed.fact(DamagedCopies.class).copies()).hasSize(1);
    }

    /** Each restore waits until a chunk is in quarantine, and fails. */
    private Path failingCriu() throws Exception {
        Path script = Files.writeString(folder.resolve("criu"), """
                #!/bin/sh
                if [ "$1" = restore ]; then
                    for turn in $(seq 600); do
                        [ -n "$(ls '%s')" ] && break
                        sleep 0.1
                    done
                    exit 1
                fi
                exec '%s' "$@"
                """.formatted(
                        folder.resolve("nvme/quarantine"), TestCriu.path().orElseThrow()));
        Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
        return script;
    }

    private void withAnEmptyPool() throws Exception {
        node.close();
        Path pool = TestNode.settings(folder, TestNode.POOL_BYTES).poolPath();
        Files.delete(pool);
        Files.delete(pool.resolveSibling("pool.index"));
        open(TestNode.POOL_BYTES);
    }

    @Test
    void aWriteThatFailsUndoesTheThawAndSaysWhy() throws Exception {
        SnapshotId snapshot = saved(LARGE, AfterSave.STOP).snapshot();
        Map<GpuStatus, FailureCode> codes = Map.of(
                GpuStatus.IO, FailureCode.CRIU_FAILED,
                GpuStatus.PEER_GONE, FailureCode.WORKLOAD_LOST,
                GpuStatus.PERMISSION, FailureCode.CAPABILITY_MISSING,
                GpuStatus.NO_HOST_MEMORY, FailureCode.INSUFFICIENT_SPACE);
        for (Map.Entry<GpuStatus, FailureCode> expected : codes.entrySet()) {
            gpu.fail("write-process", FailingGpu.Moment.BEFORE, 1, expected.getKey());
            assertThatItFails(snapshot, expected.getValue());
            assertThat(gpu.hasFailed()).isTrue();
        }
        gpu.healthy();
        thaw(snapshot);
        assertThat(workload.answer("warm")).isEqualTo(answer);
    }

    @Test
    void aProcessThatEndsWhileItIsFilledIsLost() throws Exception {
        SnapshotId snapshot = saved(LARGE, AfterSave.STOP).snapshot();
        int pid = workload.process().pid();
        StageListener ending = new StageStarts("fill-host", () -> {
            ProcessId restored = proc.stat(pid).orElseThrow().id();
            try {
                new ProcessTree(proc).end(restored);
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        });
        OperationOutcome.Failed failed = node.thaw(EngineId.CRIU_CUDA, snapshot, Optional.empty(), ending)
                .failed();
        assertThat(failed.code()).as(failed.detail()).isEqualTo(FailureCode.WORKLOAD_LOST);
        assertThat(failed.undoProblems()).isEmpty();
        thaw(snapshot);
        assertThat(workload.answer("warm")).isEqualTo(answer);
    }

    private void assertThatItFails(SnapshotId snapshot, FailureCode code) throws Exception {
        OperationOutcome.Failed failed = node.thaw(EngineId.CRIU_CUDA, snapshot).failed();
        assertThat(failed.code()).as(failed.detail()).isEqualTo(code);
        assertThat(failed.undoProblems()).isEmpty();
        for (int task : node.engines().manifest(snapshot).process().taskIds()) {
            Awaitility.await("nothing half-alive")
                    .until(() -> proc.stat(task).filter(stat -> !stat.isDead()).isEmpty());
        }
        assertThat(TestNode.settings(folder, TestNode.POOL_BYTES).scratchDir()).isEmptyDirectory();
    }

    @Test
    void aSnapshotOfTheFirstSchemaIsThawed() throws Exception {
        // given a snapshot as it was written before there were areas: of an image that nobody cut
        workload = TestWorkload.start(folder.resolve("workload"), Map.of(), LARGE);
        answer = workload.answer("warm");
        SnapshotId snapshot = SnapshotId.random();
        Path scratch = TestNode.settings(folder, TestNode.POOL_BYTES).scratchDir();
        StageListener strange = new StageStarts("store", () -> {
            try (DirectoryStream<Path> dumps = Files.newDirectoryStream(scratch)) {
                Files.createSymbolicLink(dumps.iterator().next().resolve("parent"), Path.of("nowhere"));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        node.save(EngineId.CRIU_CUDA, snapshot, workload.process(), AfterSave.STOP, strange)
                .succeeded();
        String text = new String(ManifestJson.write(node.engines().manifest(snapshot)), StandardCharsets.UTF_8);
        assertThat(text).contains(",\"areas\":[]");
        // when, then
        assertThatItIsThawedAs(
                "gpusnap.manifest/1",
                snapshot,
                text.replace(",\"areas\":[]", "")
                        .replaceFirst("\"taskIds\":.[0-9]+.,\"allocations\"", "\"allocations\""));
    }

    @Test
    void aSnapshotOfTheSecondSchemaIsThawed() throws Exception {
        // given a snapshot as it was written before there were gaps; this server's memory has none
        SnapshotId snapshot = saved(List.of("--host-mib", "24"), AfterSave.STOP).snapshot();
        Manifest manifest = node.engines().manifest(snapshot);
        List<Manifest.HostArea> areas = new ArrayList<>();
        for (Manifest.HostArea area : manifest.host().areas()) {
            assertThat(area.ranges()).hasSize(1);
            long address = area.ranges().getFirst().address();
            for (ChunkRef chunk : area.chunks()) {
                areas.add(new Manifest.HostArea(
                        area.taskId(), "0x" + Long.toHexString(address), chunk.sizeBytes(), List.of(), List.of(chunk)));
                address += chunk.sizeBytes();
            }
        }
        assertThat(areas).isNotEmpty();
        String text = new String(ManifestJson.write(Manifests.withAreasOnly(manifest, areas)), StandardCharsets.UTF_8);
        // when, then
        assertThatItIsThawedAs("gpusnap.manifest/2", snapshot, text.replace("\"runs\":[],", ""));
    }

    private void assertThatItIsThawedAs(String schema, SnapshotId snapshot, String manifest) throws Exception {
        String text = manifest.replace("gpusnap.manifest/5", schema).replaceAll(",\"inUse\":(true|false)", "");
        Path file = folder.resolve("nvme/manifests/" + snapshot + ".json");
        Files.delete(file); // as if it had been written so
        Files.writeString(file, text);
        assertThat(node.engines().manifest(snapshot).schema()).isEqualTo(schema);
        node.verify(snapshot).succeeded();
        thaw(snapshot);
        assertThat(workload.answer("warm")).isEqualTo(answer);
    }
}
