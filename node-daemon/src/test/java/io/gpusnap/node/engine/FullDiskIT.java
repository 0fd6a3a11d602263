package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.node.criu.TestCriu;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.OperationOutcome;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.operation.StageListener;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.tier.TierKind;
import io.gpusnap.node.tier.TierUsage;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The file system under the node's own store is small, and somebody else fills it while a save writes. */
class FullDiskIT {

    private static final String PROMPT = "warm";
    /** Some chunks of a save find room, and not all. */
    private static final long LEFT_BYTES = 20 << 20;

    @TempDir
    Path folder;

    private Path disk;
    private TestNode node;
    private TestWorkload large;
    private TestWorkload small;

    @BeforeEach
    void start() throws Exception {
        TestNatives.require();
        TestCriu.require();
        disk = Files.createDirectories(folder.resolve("nvme"));
        run("mount", "-t", "tmpfs", "-o", "size=640m", "tmpfs", disk.toString());
        node = TestNode.open(
                folder,
                SharedPlace.of(List.of(
                        "nfs", Files.createDirectories(folder.resolve("share")).toString())));
        large = TestWorkload.start(
                folder.resolve("large"), Map.of("GPUSNAP_WORKLOAD", "large"), List.of("--weights-mib", "192"));
        // Its weights are its own.
        small = TestWorkload.start(
                folder.resolve("small"), Map.of("GPUSNAP_WORKLOAD", "small"), List.of("--weights-from", "device"));
    }

    @AfterEach
    void end() throws Exception {
        for (TestWorkload workload :
                Stream.of(large, small).filter(one -> one != null).toList()) {
            workload.close();
        }
        if (node != null) {
            node.close();
        }
        run("umount", disk.toString());
        TestNode.cleanUp(folder);
    }

    @Test
    void aSaveThatFindsItFullLeavesNothingAndSucceedsOnceAnotherSnapshotWasEvicted() throws Exception {
        // given a snapshot that the node could do without
        String largeAnswer = large.answer(PROMPT);
        SnapshotId evictable = saved(large);
        large.end();
        node.transfer(evictable, "nfs", StageListener.NONE).succeeded();
        String answer = small.answer(PROMPT);
        List<Path> before = files();
        for (String stage : List.of("drain", "store")) {
            for (AfterSave afterSave : List.of(AfterSave.KEEP_RUNNING, AfterSave.STOP)) {
                // when
                OperationOutcome.Failed failed = node.save(
                                EngineId.CRIU_CUDA,
                                SnapshotId.random(),
                                small.process(),
                                afterSave,
                                new StageStarts(stage, this::fill))
                        .failed();
                // then
                String what = stage + " " + afterSave + ": " + failed;
                assertThat(failed.code()).as(what).isEqualTo(FailureCode.INSUFFICIENT_SPACE);
                assertThat(failed.undoProblems()).as(what).isEmpty();
                assertThat(small.answer(PROMPT)).as(what).isEqualTo(answer);
                assertThat(files()).as(what).isEqualTo(before);
                Files.delete(filler());
            }
        }
        node.verify(evictable).succeeded();
        // and while it is full
        fill();
        assertThat(node.save(EngineId.CRIU_CUDA, small, AfterSave.STOP).failed().code())
                .isEqualTo(FailureCode.INSUFFICIENT_SPACE);
        node.evict(evictable, "nvme").succeeded();
        SnapshotId snapshot = saved(small);
        small.end();
        assertThaws(snapshot, small, answer);
        // and what was evicted comes from elsewhere
        assertThaws(evictable, large, largeAnswer);
    }

    @Test
    void whatIsBroughtLeavesTheRoomThatARunningSaveWasPromised() throws Exception {
        // given a snapshot that is only elsewhere
        large.answer(PROMPT);
        SnapshotId elsewhere = saved(large);
        large.end();
        node.transfer(elsewhere, "nfs", StageListener.NONE).succeeded();
        node.evict(elsewhere, "nvme").succeeded();
        String answer = small.answer(PROMPT);
        AtomicReference<OperationOutcome.Failed> brought = new AtomicReference<>();
        // when it is to come while a save runs, and there is little more room than that was told of
        SnapshotId snapshot = node.save(
                        EngineId.CRIU_CUDA,
                        SnapshotId.random(),
                        small.process(),
                        AfterSave.STOP,
                        new StageStarts("drain", () -> {
                            fill(this::freeBytes);
                            brought.set(failsToCome(elsewhere));
                        }))
                .succeeded()
                .fact(SaveOutcome.class)
                .snapshot();
        // then the save has it
        assertThat(brought.get().code()).isEqualTo(FailureCode.INSUFFICIENT_SPACE);
        assertThat(brought.get().detail()).contains("promised to saves");
        small.end();
        assertThaws(snapshot, small, answer);
        // and afterwards nothing is kept from what is brought
        Files.delete(filler());
        node.transfer(elsewhere, "nvme", StageListener.NONE).succeeded();
    }

    private OperationOutcome.Failed failsToCome(SnapshotId snapshot) {
        try {
            return node.transfer(snapshot, "nvme", StageListener.NONE).failed();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    /** What the node says that it may still take. */
    private long freeBytes() {
        try {
            return node.engines().tiers().stream()
                    .filter(tier -> tier.kind() == TierKind.NVME)
                    .mapToLong(TierUsage::freeBytes)
                    .sum();
        } catch (StageException e) {
            throw new IllegalStateException(e);
        }
    }

    private SnapshotId saved(TestWorkload workload) throws Exception {
        return node.save(EngineId.CRIU_CUDA, workload, AfterSave.STOP)
                .succeeded()
                .fact(SaveOutcome.class)
                .snapshot();
    }

    private void assertThaws(SnapshotId snapshot, TestWorkload workload, String answer) throws Exception {
        ThawOutcome thawed = node.thaw(EngineId.CRIU_CUDA, snapshot).succeeded().fact(ThawOutcome.class);
        workload.became(new ProcessId(thawed.pid(), thawed.startTimeTicks()));
        assertThat(workload.answer(PROMPT)).isEqualTo(answer);
    }

    private Path filler() {
        return disk.resolve("somebody-elses");
    }

    /** All but a little. */
    private void fill() {
        fill(this::usableBytes);
    }

    /** Until so little is left by this measure. */
    private void fill(LongSupplier leftBytes) {
        byte[] some = new byte[1 << 16];
        Arrays.fill(some, (byte) 1);
        try (OutputStream out = Files.newOutputStream(filler())) {
            while (leftBytes.getAsLong() > LEFT_BYTES) {
                out.write(some);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private long usableBytes() {
        try {
            return Files.getFileStore(disk).getUsableSpace();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Of the store. */
    private List<Path> files() throws IOException {
        try (Stream<Path> all = Files.walk(disk)) {
            return all.filter(Files::isRegularFile)
                    .filter(file -> !file.equals(filler()))
                    .sorted()
                    .toList();
        }
    }

    private static void run(String... command) throws Exception {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes());
        assertThat(process.waitFor()).as("%s: %s", List.of(command), output).isZero();
    }
}
