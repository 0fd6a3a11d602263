package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.node.engine.ScrubOutcome.Unread;
import io.gpusnap.node.engine.ScrubOutcome.Verdict;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.OperationId;
import io.gpusnap.node.operation.OperationOutcome;
import io.gpusnap.node.operation.OperationSpec;
import io.gpusnap.node.operation.StageListener;
import io.gpusnap.node.operation.StagePoint;
import io.gpusnap.node.peer.PeerSettings;
import io.gpusnap.node.snapshot.SnapshotStore;
import io.gpusnap.node.store.ManifestDigest;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.transfer.StoredSnapshot;
import io.gpusnap.node.transfer.Traffic;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What has to wait for a more urgent copy keeps nobody else from going on. */
class StandStillTest {

    @TempDir
    Path folder;

    private final SnapshotId waiting = SnapshotId.random();
    private final SnapshotId going = SnapshotId.random();
    private String waitingDigest = "";

    @BeforeEach
    void givenTwoSnapshotsOfANode() throws Exception {
        TestNatives.require();
        Files.createDirectory(folder.resolve("share"));
        try (SnapshotStore store = StoredSnapshot.open(folder, 16 << 20)) {
            waitingDigest = ManifestDigest.of(
                            StoredSnapshot.make(store, waiting, 3, 100_000).manifest())
                    .hex();
            StoredSnapshot.make(store, going, 3, 100_000);
        }
    }

    @AfterEach
    void cleanUp() throws Exception {
        TestNode.cleanUp(folder);
    }

    private TestNode open(Duration mostStill) throws Exception {
        return TestNode.open(
                folder,
                new SharedTiers(
                        Optional.of(SharedPlace.nfs(folder.resolve("share"))),
                        Optional.empty(),
                        0,
                        mostStill,
                        TierKeys.none(),
                        PeerSettings.none()));
    }

    private static <T> FutureTask<T> started(Callable<T> work) {
        FutureTask<T> task = new FutureTask<>(work);
        Thread.ofPlatform().daemon().start(task);
        return task;
    }

    private static void await(CountDownLatch latch) {
        try {
            assertThat(latch.await(60, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Each time that this stage comes to a point. */
    private record At(String stage, StagePoint point, Runnable then) implements StageListener {

        @Override
        public void reached(OperationSpec spec, String reached, StagePoint where) {
            if (reached.equals(stage) && where == point) {
                then.run();
            }
        }
    }

    /** A copy of rank NORMAL that stops in its middle until it is told to go on. */
    private final class Copy {
        private final CountDownLatch inside = new CountDownLatch(1);
        private final CountDownLatch goOn = new CountDownLatch(1);
        private final FutureTask<TestNode.Ended> task;

        private Copy(TestNode node) {
            StageListener stopping = new At("copy", StagePoint.INSIDE, () -> {
                inside.countDown();
                StandStillTest.await(goOn);
            });
            task = started(() -> node.transfer(going, "nfs", stopping));
            StandStillTest.await(inside);
        }

        private void end() throws Exception {
            goOn.countDown();
            task.get(60, TimeUnit.SECONDS).succeeded();
        }
    }

    @Test
    void aScrubThatStandsStillGivesWayToADeletion() throws Exception {
        try (TestNode node = open(Traffic.MOST_STILL)) {
            // given a scrub that waits for its turn within a snapshot
            Copy copy = new Copy(node);
            CountDownLatch looks = new CountDownLatch(5);
            StageListener counting = new At("scrub", StagePoint.INSIDE, looks::countDown);
            ScrubRequest request = new ScrubRequest(
                    TierRef.named("nvme"),
                    List.of(new ScrubRequest.Subject(waiting, waitingDigest)),
                    1L << 40,
                    Traffic.Priority.BACKGROUND);
            FutureTask<TestNode.Ended> scrub = started(() -> node.scrub(request, counting));
            await(looks);
            // when
            FutureTask<OperationOutcome> deletion =
                    started(() -> node.delete(waiting).outcome());
            // then
            assertThat(deletion.get(60, TimeUnit.SECONDS)).isInstanceOf(OperationOutcome.Succeeded.class);
            assertThat(scrub.get(60, TimeUnit.SECONDS)
                            .succeeded()
                            .fact(ScrubOutcome.class)
                            .findings())
                    .singleElement()
                    .satisfies(finding -> {
                        assertThat(finding.verdict()).isEqualTo(Verdict.UNREADABLE);
                        assertThat(finding.unread()).contains(Unread.IN_USE);
                    });
            copy.end();
        }
    }

    @Test
    void aCopyThatHasStoodStillForTooLongEndsAndMayBeAskedForAgain() throws Exception {
        try (TestNode node = open(Duration.ofMillis(100))) {
            // given
            Copy copy = new Copy(node);
            AtomicInteger runs = new AtomicInteger();
            StageListener counting = new At("copy", StagePoint.STARTED, runs::incrementAndGet);
            // when
            OperationOutcome.Failed failed =
                    node.transfer(background(), counting).failed();
            // then
            assertThat(failed.code()).isEqualTo(FailureCode.PREEMPTED);
            assertThat(failed.retryable()).isTrue();
            assertThat(runs).hasValue(1);
            // when it is asked for again
            copy.end();
            node.transfer(background(), StageListener.NONE).succeeded();
        }
    }

    private TransferRequest background() {
        return new TransferRequest(
                OperationId.random(),
                waiting,
                Optional.empty(),
                TierRef.named("nfs"),
                Optional.empty(),
                0,
                Traffic.Priority.BACKGROUND);
    }
}
