package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.node.criu.TestCriu;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.StageListener;
import io.gpusnap.node.process.ProcFs;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.tier.pack.SharedObject;
import io.gpusnap.node.transfer.Traffic;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two nodes that share a store, a real server, and real CRIU. A kind of store has one subclass. */
abstract class SharedTierContract {

    static final String PROMPT = "warm";

    @TempDir
    Path folder;

    TestNode first;
    TestNode second;
    TestWorkload workload;
    String answer;

    /** The tier's name on both nodes. */
    abstract String tier();

    abstract SharedTiers shared() throws Exception;

    /** Flips a bit of every pack in the store. */
    abstract void spoilPacks() throws Exception;

    @BeforeEach
    void startNodesAndWorkload() throws Exception {
        TestNatives.require();
        TestCriu.require();
        first = TestNode.open(folder.resolve("first"), shared());
        workload = TestWorkload.start(folder.resolve("workload"));
        answer = workload.answer(PROMPT);
    }

    @AfterEach
    void endNodesAndWorkload() throws Exception {
        if (workload != null) {
            workload.close();
        }
        if (first != null) {
            first.close();
        }
        if (second != null) {
            second.close();
        }
        TestNode.cleanUp(folder.resolve("first"));
        TestNode.cleanUp(folder.resolve("second"));
    }

    SnapshotId saved() throws Exception {
        SaveOutcome save = first.save(EngineId.CRIU_CUDA, workload, AfterSave.STOP)
                .succeeded()
                .fact(SaveOutcome.class);
        Awaitility.await().until(() -> !new ProcFs().isAlive(workload.process()));
        return save.snapshot();
    }

    TransferOutcome pushed(SnapshotId snapshot) throws Exception {
        return first.transfer(snapshot, tier(), StageListener.NONE).succeeded().fact(TransferOutcome.class);
    }

    private ThawOutcome assertThawsAndAnswers(TestNode node, SnapshotId snapshot) throws Exception {
        ThawOutcome thaw = node.thaw(EngineId.CRIU_CUDA, snapshot).succeeded().fact(ThawOutcome.class);
        workload.became(new ProcessId(thaw.pid(), thaw.startTimeTicks()));
        assertThat(workload.answer(PROMPT)).isEqualTo(answer);
        return thaw;
    }

    @Test
    void anotherNodeWithAnEmptyStoreThawsStraightFromTheSharedOne() throws Exception {
        // given
        SnapshotId snapshot = saved();
        TransferOutcome pushed = pushed(snapshot);
        assertThat(pushed.movedBytes()).isPositive();
        assertThat(pushed.storedBytes()).isGreaterThanOrEqualTo(pushed.movedBytes());
        first.close();
        first = null;
        // when
        second = TestNode.open(folder.resolve("second"), shared());
        assertThat(second.engines().inspect(snapshot).missingChunks()).isZero();
        VerifyOutcome verified = second.verify(snapshot).succeeded().fact(VerifyOutcome.class);
        ThawOutcome thaw = assertThawsAndAnswers(second, snapshot);
        // then all of it was read there
        assertThat(thaw.bytesByTier()).containsEntry(tier(), verified.sizeBytes());
        assertThat(second.engines().readBytes()).containsEntry(tier(), verified.sizeBytes());
        // then its own store is as empty as before
        assertThat(second.engines().snapshots()).isEmpty();
        assertThat(folder.resolve("second/nvme/quarantine")).isEmptyDirectory();
    }

    @Test
    void aSecondPushMovesNothingAndNamesTheSameObjects() throws Exception {
        SnapshotId snapshot = saved();
        TransferOutcome once = pushed(snapshot);
        TransferOutcome again = pushed(snapshot);
        assertThat(again.movedBytes()).isZero();
        assertThat(again.objects().stream().filter(SharedTierContract::isPack))
                .isEqualTo(once.objects().stream()
                        .filter(SharedTierContract::isPack)
                        .toList());
        // and names of its own manifest that were never used before
        assertThat(again.objects()).isNotEqualTo(once.objects());
    }

    private static boolean isPack(SharedObject object) {
        return object.name().startsWith("packs/");
    }

    @Test
    void aPulledSnapshotIsWholeAndThawsWithoutTheSharedStore() throws Exception {
        // given
        SnapshotId snapshot = saved();
        pushed(snapshot);
        second = TestNode.open(folder.resolve("second"), shared());
        // when
        TransferOutcome pulled = second.transfer(snapshot, "nvme", StageListener.NONE)
                .succeeded()
                .fact(TransferOutcome.class);
        // then
        assertThat(pulled.movedBytes()).isPositive();
        assertThat(second.engines().snapshots()).containsExactly(snapshot);
        second.verify(snapshot).succeeded();
        assertThat(second.transfer(snapshot, "nvme", StageListener.NONE)
                        .succeeded()
                        .fact(TransferOutcome.class)
                        .movedBytes())
                .isZero();
        // when a daemon died between the two names of the manifest, and the next one commits again
        Path nvme = folder.resolve("second/nvme");
        Files.copy(nvme.resolve("manifests/" + snapshot + ".json"), nvme.resolve("pending/" + snapshot + ".json"));
        second.transfer(snapshot, "nvme", StageListener.NONE).succeeded();
        // then nothing is left of it that would keep chunks
        assertThat(nvme.resolve("pending")).isEmptyDirectory();
        // when the shared store is of no use any more
        spoilPacks();
        // then
        assertThawsAndAnswers(second, snapshot);
    }

    @Test
    void aSpoiltChunkOfThisNodeComesFromTheSharedStore() throws Exception {
        // given a snapshot in both, and this node's chunks flipped
        SnapshotId snapshot = saved();
        pushed(snapshot);
        first.close();
        Path pool =
                TestNode.settings(folder.resolve("first"), TestNode.POOL_BYTES).poolPath();
        Files.delete(pool);
        Files.delete(pool.resolveSibling("pool.index"));
        first = TestNode.open(folder.resolve("first"), shared());
        flipEach(folder.resolve("first/nvme/chunks"));
        // when
        TestNode.Ended thawed = first.thaw(EngineId.CRIU_CUDA, snapshot).succeeded();
        // then
        ThawOutcome thaw = thawed.fact(ThawOutcome.class);
        workload.became(new ProcessId(thaw.pid(), thaw.startTimeTicks()));
        assertThat(workload.answer(PROMPT)).isEqualTo(answer);
        assertThat(folder.resolve("first/nvme/quarantine")).isNotEmptyDirectory();
        // and it is told which copy is not good any more
        assertThat(thawed.fact(DamagedCopies.class).copies())
                .singleElement()
                .satisfies(copy -> assertThat(
                                first.engines().tierStates(true).get(1).storeId())
                        .contains(copy.storeId()));
    }

    @Test
    void aManifestThatThisNodesDiskDoesNotGiveComesFromTheSharedStore() throws Exception {
        // given a snapshot in both, and a bad place under this node's manifest
        SnapshotId snapshot = saved();
        pushed(snapshot);
        first.close();
        first = TestNode.open(
                folder.resolve("first"),
                shared(),
                Set.of(folder.resolve("first/nvme/manifests/" + snapshot + ".json")));
        // when
        TestNode.Ended thawed = first.thaw(EngineId.CRIU_CUDA, snapshot).succeeded();
        // then
        ThawOutcome thaw = thawed.fact(ThawOutcome.class);
        workload.became(new ProcessId(thaw.pid(), thaw.startTimeTicks()));
        assertThat(workload.answer(PROMPT)).isEqualTo(answer);
        // and it is told which copy is not good any more
        assertThat(thawed.fact(DamagedCopies.class).copies())
                .singleElement()
                .satisfies(copy -> assertThat(
                                first.engines().tierStates(true).get(1).storeId())
                        .contains(copy.storeId()));
    }

    @Test
    void spoiltPacksStopTheThawBeforeAnythingRuns() throws Exception {
        SnapshotId snapshot = saved();
        pushed(snapshot);
        spoilPacks();
        second = TestNode.open(folder.resolve("second"), shared());
        assertThat(second.thaw(EngineId.CRIU_CUDA, snapshot).failed().code())
                .isIn(FailureCode.CHUNK_CORRUPT, FailureCode.CHUNK_MISSING);
        assertThat(new ProcFs().stat(workload.process().pid()).filter(stat -> !stat.isDead()))
                .isEmpty();
        // when the rest of what is wrong is found as well
        String digest = first.engines().inspect(snapshot).manifestDigest();
        assertThat(verdict(new ScrubRequest(
                        TierRef.named(tier()),
                        List.of(new ScrubRequest.Subject(snapshot, digest)),
                        1L << 40,
                        Traffic.Priority.BACKGROUND)))
                .isEqualTo(ScrubOutcome.Verdict.CORRUPT);
        // then a push brings it again
        assertThat(pushed(snapshot).movedBytes()).isPositive();
        assertThawsAndAnswers(second, snapshot);
    }

    @Test
    void aScrubFindsWhatIsWrongAndASweepDeletesWhatItIsTold() throws Exception {
        // given
        SnapshotId snapshot = saved();
        TransferOutcome pushed = pushed(snapshot);
        String digest = first.engines().inspect(snapshot).manifestDigest();
        ScrubRequest scrub = new ScrubRequest(
                TierRef.named(tier()),
                List.of(new ScrubRequest.Subject(snapshot, digest)),
                1L << 40,
                Traffic.Priority.BACKGROUND);
        // when, then
        assertThat(verdict(scrub)).isEqualTo(ScrubOutcome.Verdict.GOOD);
        spoilPacks();
        assertThat(verdict(scrub)).isEqualTo(ScrubOutcome.Verdict.CORRUPT);

        // when the service condemns all of it
        UUID service = UUID.randomUUID();
        List<String> names = pushed.objects().stream().map(SharedObject::name).toList();
        SweepOutcome swept = first.sweep(
                        new SweepRequest(TierRef.named(tier()), service, names, "", 10, Duration.ofHours(1)))
                .succeeded()
                .fact(SweepOutcome.class);
        // then nothing is left
        assertThat(swept.deletedBytes())
                .isEqualTo(pushed.objects().stream()
                        .mapToLong(SharedObject::sizeBytes)
                        .sum());
        assertThat(swept.objects()).isEmpty();
        assertThat(swept.complete()).isTrue();
        assertThat(verdict(scrub)).isEqualTo(ScrubOutcome.Verdict.MISSING);
        // and nobody else may sweep it, nor delete what is no object of a copy
        assertThat(first.sweep(new SweepRequest(
                                TierRef.named(tier()), UUID.randomUUID(), names, "", 10, Duration.ofHours(1)))
                        .failed()
                        .code())
                .isEqualTo(FailureCode.CONFLICT);
        for (String name : List.of("gpusnap-store.json", "../packs/x", "packs/../gpusnap-store.json")) {
            first.sweep(new SweepRequest(TierRef.named(tier()), service, List.of(name), "", 10, Duration.ofHours(1)))
                    .failed();
        }
    }

    private ScrubOutcome.Verdict verdict(ScrubRequest scrub) throws Exception {
        return first.scrub(scrub)
                .succeeded()
                .fact(ScrubOutcome.class)
                .findings()
                .getFirst()
                .verdict();
    }

    static void flipEach(Path chunks) throws Exception {
        try (Stream<Path> files = Files.walk(chunks)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                byte[] bytes = Files.readAllBytes(file);
                bytes[bytes.length / 2] ^= 1;
                Files.write(file, bytes);
            }
        }
    }
}
