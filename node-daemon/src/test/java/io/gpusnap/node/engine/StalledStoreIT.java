package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.node.criu.TestCriu;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.OperationOutcome;
import io.gpusnap.node.operation.StageListener;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.snapshot.SnapshotStore;
import io.gpusnap.node.store.ManifestDigest;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.tier.pack.SharedObject;
import io.gpusnap.node.tier.s3.FaultProxy;
import io.gpusnap.node.tier.s3.FaultProxy.Fault;
import io.gpusnap.node.tier.s3.FaultProxy.Seen;
import io.gpusnap.node.tier.s3.S3Server;
import io.gpusnap.node.tier.s3.S3Settings;
import io.gpusnap.node.transfer.StoredSnapshot;
import io.gpusnap.node.transfer.Traffic;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A bucket that takes requests and says nothing: who no longer wants an operation need not wait until it is given up. */
class StalledStoreIT {

    private static final int CHUNK_BYTES = 2 << 20;
    private static final int CHUNKS = 9;
    private static final int PART_BYTES = 5 << 20;
    private static final Predicate<Seen> OF_A_PACK =
            seen -> seen.isGet() && seen.path().contains("/packs/");

    @TempDir
    Path folder;

    private FaultProxy proxy;
    private SharedTiers shared;
    private SnapshotId snapshot;
    private String digest;

    @BeforeEach
    void storeASnapshot() throws Exception {
        TestNatives.require();
        S3Server server = S3Server.shared();
        proxy = new FaultProxy(server.endpoint());
        S3Settings plain = S3Server.settings(server.bucket(), proxy.endpoint());
        SharedTiers.S3 place = SharedPlace.of(List.of("s3", proxy.endpoint().toString(), plain.bucket()))
                .s3()
                .orElseThrow();
        shared = new SharedTiers(
                Optional.empty(),
                Optional.of(new SharedTiers.S3(
                        place.packs(), S3Server.asking(plain, PART_BYTES, 2, Duration.ofHours(1), plain.attempts()))),
                0);
        snapshot = SnapshotId.random();
        try (SnapshotStore store = StoredSnapshot.open(folder.resolve("first"), 16 << 20)) {
            digest = ManifestDigest.of(StoredSnapshot.make(store, snapshot, CHUNKS, CHUNK_BYTES)
                            .manifest())
                    .hex();
        }
    }

    @AfterEach
    void end() throws Exception {
        proxy.close();
        TestNode.cleanUp(folder.resolve("first"));
        TestNode.cleanUp(folder.resolve("second"));
    }

    private TestNode open(String name) throws Exception {
        return TestNode.open(folder.resolve(name), shared);
    }

    /** @return names of what the copy is made of */
    private List<String> push() throws Exception {
        try (TestNode first = open("first")) {
            return first
                    .transfer(snapshot, "s3", StageListener.NONE)
                    .succeeded()
                    .fact(TransferOutcome.class)
                    .objects()
                    .stream()
                    .map(SharedObject::name)
                    .toList();
        }
    }

    /** From now on there is no answer to these. Returns what happens when the first has come. */
    private CountDownLatch stall(Predicate<Seen> which) {
        CountDownLatch arrived = new CountDownLatch(1);
        proxy.spoil(seen -> {
            if (!which.test(seen)) {
                return new Fault.None();
            }
            arrived.countDown();
            return new Fault.Silence();
        });
        return arrived;
    }

    private static void assertCancelled(Callable<TestNode.Ended> operation) throws Exception {
        FutureTask<TestNode.Ended> running = new FutureTask<>(operation);
        Thread.ofVirtual().start(running);
        OperationOutcome outcome = running.get(2, TimeUnit.MINUTES).outcome();
        assertThat(outcome).isInstanceOfSatisfying(OperationOutcome.Cancelled.class, cancelled -> {
            assertThat(cancelled.code()).isEqualTo(FailureCode.CANCELLED);
            assertThat(cancelled.undoProblems()).isEmpty();
        });
    }

    private void answerAgain() {
        proxy.spoil(seen -> new Fault.None());
    }

    @Test
    void aPullIsCancelledAndLeavesNothing() throws Exception {
        push();
        try (TestNode node = open("second")) {
            CountDownLatch arrived = stall(OF_A_PACK);

            assertCancelled(() -> node.cancelledWhen(arrived, TestNode.copyTo(snapshot, "nvme")));

            assertThat(folder.resolve("second/nvme/pending")).isEmptyDirectory();
            assertThat(folder.resolve("second/nvme/tmp")).isEmptyDirectory();
            assertThat(node.engines().snapshots()).isEmpty();
            answerAgain();
            node.transfer(snapshot, "nvme", StageListener.NONE).succeeded();
            node.verify(snapshot).succeeded();
        }
    }

    @Test
    void aPullIsCancelledWhileItLooksForTheManifest() throws Exception {
        push();
        try (TestNode node = open("second")) {
            CountDownLatch arrived = stall(seen -> seen.isGet() && seen.path().contains("/snapshots/"));

            assertCancelled(() -> node.cancelledWhen(arrived, TestNode.copyTo(snapshot, "nvme")));

            answerAgain();
            node.transfer(snapshot, "nvme", StageListener.NONE).succeeded();
        }
    }

    @Test
    void aPushIsCancelledAndTheNextOneGoesOn() throws Exception {
        try (TestNode node = open("first")) {
            CountDownLatch arrived = stall(Seen::isPart);

            assertCancelled(() -> node.cancelledWhen(arrived, TestNode.copyTo(snapshot, "s3")));

            answerAgain();
            node.transfer(snapshot, "s3", StageListener.NONE).succeeded();
        }
    }

    @Test
    void aScrubIsCancelledAndCondemnsNothing() throws Exception {
        push();
        try (TestNode node = open("second")) {
            CountDownLatch arrived = stall(OF_A_PACK);
            ScrubRequest request = new ScrubRequest(
                    TierRef.named("s3"),
                    List.of(new ScrubRequest.Subject(snapshot, digest)),
                    1L << 40,
                    Traffic.Priority.BACKGROUND);

            assertCancelled(() -> node.cancelledWhen(arrived, request));

            answerAgain();
            assertThat(node.scrub(request).succeeded().fact(ScrubOutcome.class).findings())
                    .allMatch(finding -> finding.verdict() == ScrubOutcome.Verdict.GOOD);
        }
    }

    @Test
    void aCopyIntoMemoryIsCancelledAndTakesNoSlots() throws Exception {
        push();
        try (TestNode node = open("second")) {
            CountDownLatch arrived = stall(OF_A_PACK);
            int slots = node.engines().memory().claimable();

            assertCancelled(() -> node.cancelledWhen(arrived, TestNode.copyTo(snapshot, "memory")));

            assertThat(node.engines().memory().claimable()).isEqualTo(slots);
            answerAgain();
            node.transfer(snapshot, "memory", StageListener.NONE).succeeded();
        }
    }

    @Test
    void aSweepIsCancelledAndTheNextOneEndsIt() throws Exception {
        List<String> names = push();
        try (TestNode node = open("second")) {
            CountDownLatch arrived = stall(seen -> seen.method().equals("DELETE"));
            SweepRequest request = new SweepRequest(
                    TierRef.named("s3"), UUID.randomUUID(), names, "", names.size(), Duration.ofHours(1));

            assertCancelled(() -> node.cancelledWhen(arrived, request));

            answerAgain();
            assertThat(node.sweep(request).succeeded().fact(SweepOutcome.class).objects())
                    .isEmpty();
        }
    }

    @Test
    void aThawIsCancelledWhileItReads() throws Exception {
        // given a server that is in the bucket alone
        TestCriu.require();
        TestWorkload workload = TestWorkload.start(folder.resolve("workload"));
        try {
            String answer = workload.answer("warm");
            SnapshotId saved;
            try (TestNode node = open("first")) {
                saved = node.save(EngineId.CRIU_CUDA, workload, AfterSave.STOP)
                        .succeeded()
                        .fact(SaveOutcome.class)
                        .snapshot();
                node.transfer(saved, "s3", StageListener.NONE).succeeded();
            }
            workload.end();
            try (TestNode node = open("second")) {
                CountDownLatch arrived = stall(OF_A_PACK);
                // when
                assertCancelled(() -> node.cancelledWhen(arrived, saved, () -> {}));
                // then
                assertThat(workload.isAlive()).isFalse();
                answerAgain();
                ThawOutcome thaw =
                        node.thaw(EngineId.CRIU_CUDA, saved).succeeded().fact(ThawOutcome.class);
                workload.became(new ProcessId(thaw.pid(), thaw.startTimeTicks()));
                assertThat(workload.answer("warm")).isEqualTo(answer);
            }
        } finally {
            workload.close();
        }
    }

    @Test
    void aThawIsCancelledWhileItLooksForTheManifest() throws Exception {
        push();
        try (TestNode node = open("second")) {
            CountDownLatch arrived = stall(seen -> seen.isGet() && seen.path().contains("/snapshots/"));

            assertCancelled(() -> node.cancelledWhen(arrived, snapshot, () -> {}));
        }
    }
}
