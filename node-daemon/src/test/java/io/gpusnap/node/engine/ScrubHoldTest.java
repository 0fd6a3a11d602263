package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.OperationOutcome;
import io.gpusnap.node.operation.OperationSpec;
import io.gpusnap.node.operation.StageListener;
import io.gpusnap.node.operation.StagePoint;
import io.gpusnap.node.snapshot.SnapshotStore;
import io.gpusnap.node.store.ManifestDigest;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.transfer.StoredSnapshot;
import io.gpusnap.node.transfer.Traffic;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a scrub reads of this node's own store stays there until it has said what it found. */
class ScrubHoldTest {

    @TempDir
    Path folder;

    @AfterEach
    void cleanUp() throws Exception {
        TestNode.cleanUp(folder);
    }

    /** At the second safe point of the scrub, which is the first inside of a snapshot, somebody wants to evict it. */
    private static final class Evicting implements StageListener {
        private final TestNode node;
        private final SnapshotId snapshot;
        private int safePoints;
        private Optional<FailureCode> refusal = Optional.empty();

        private Evicting(TestNode node, SnapshotId snapshot) {
            this.node = node;
            this.snapshot = snapshot;
        }

        @Override
        public void reached(OperationSpec spec, String stage, StagePoint point) {
            if (!stage.equals("scrub") || point != StagePoint.INSIDE || ++safePoints != 2) {
                return;
            }
            try {
                refusal = Optional.of(node.evict(snapshot, "nvme").failed().code());
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }
    }

    /** At the same point somebody begins to delete it. */
    private static final class Deleting implements StageListener {
        private int safePoints;
        /** The deletion's second safe point is the first at which it waits. */
        private final CountDownLatch waits = new CountDownLatch(2);

        private final FutureTask<OperationOutcome> deletion;

        private Deleting(TestNode node, SnapshotId snapshot) {
            StageListener waiting = new StageListener() {
                @Override
                public void reached(OperationSpec spec, String stage, StagePoint point) {
                    if (point == StagePoint.INSIDE) {
                        waits.countDown();
                    }
                }
            };
            this.deletion =
                    new FutureTask<>(() -> node.delete(snapshot, waiting).outcome());
        }

        @Override
        public void reached(OperationSpec spec, String stage, StagePoint point) {
            if (!stage.equals("scrub") || point != StagePoint.INSIDE || ++safePoints != 2) {
                return;
            }
            Thread.ofPlatform().start(deletion);
            try {
                assertThat(waits.await(60, TimeUnit.SECONDS)).isTrue();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    @Test
    void aScrubLetsGoOfASnapshotThatIsToBeDeleted() throws Exception {
        // given
        TestNatives.require();
        SnapshotId snapshot = SnapshotId.random();
        ScrubRequest request = scrubOf(snapshot);
        try (TestNode node = TestNode.open(folder)) {
            Deleting deleting = new Deleting(node, snapshot);
            // when
            ScrubOutcome scrubbed = node.scrub(request, deleting).succeeded().fact(ScrubOutcome.class);
            // then
            assertThat(deleting.deletion.get(60, TimeUnit.SECONDS)).isInstanceOf(OperationOutcome.Succeeded.class);
            assertThat(scrubbed.findings()).singleElement().satisfies(finding -> {
                assertThat(finding.verdict()).isEqualTo(ScrubOutcome.Verdict.UNREADABLE);
                assertThat(finding.detail()).contains("being deleted");
            });
        }
    }

    /** Of a snapshot that this makes. */
    private ScrubRequest scrubOf(SnapshotId snapshot) throws Exception {
        try (SnapshotStore store = StoredSnapshot.open(folder, 16 << 20)) {
            String digest = ManifestDigest.of(
                            StoredSnapshot.make(store, snapshot, 3, 100_000).manifest())
                    .hex();
            return new ScrubRequest(
                    TierRef.named("nvme"),
                    List.of(new ScrubRequest.Subject(snapshot, digest)),
                    1L << 40,
                    Traffic.Priority.BACKGROUND);
        }
    }

    @Test
    void aSnapshotIsNotEvictedWhileItIsScrubbed() throws Exception {
        // given
        TestNatives.require();
        SnapshotId snapshot = SnapshotId.random();
        ScrubRequest request = scrubOf(snapshot);
        try (TestNode node = TestNode.open(folder)) {
            Evicting evicting = new Evicting(node, snapshot);
            // when
            ScrubOutcome scrubbed = node.scrub(request, evicting).succeeded().fact(ScrubOutcome.class);
            // then
            assertThat(evicting.refusal).contains(FailureCode.IN_USE);
            assertThat(scrubbed.findings())
                    .extracting(ScrubOutcome.Finding::verdict)
                    .containsExactly(ScrubOutcome.Verdict.GOOD);
            node.evict(snapshot, "nvme").succeeded();
        }
    }
}
