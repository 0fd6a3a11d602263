package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.OperationSpec;
import io.gpusnap.node.operation.StageListener;
import io.gpusnap.node.operation.StagePoint;
import io.gpusnap.node.snapshot.SnapshotStore;
import io.gpusnap.node.store.ManifestDigest;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.transfer.StoredSnapshot;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
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

    @Test
    void aSnapshotIsNotEvictedWhileItIsScrubbed() throws Exception {
        // given
        TestNatives.require();
        SnapshotId snapshot = SnapshotId.random();
        String digest;
        try (SnapshotStore store = StoredSnapshot.open(folder, 16 << 20)) {
            digest = ManifestDigest.of(
                            StoredSnapshot.make(store, snapshot, 3, 100_000).manifest())
                    .hex();
        }
        try (TestNode node = TestNode.open(folder)) {
            Evicting evicting = new Evicting(node, snapshot);
            // when
            ScrubOutcome scrubbed = node.scrub(
                            new ScrubRequest(
                                    TierRef.named("nvme"),
                                    List.of(new ScrubRequest.Subject(snapshot, digest)),
                                    1L << 40,
                                    true),
                            evicting)
                    .succeeded()
                    .fact(ScrubOutcome.class);
            // then
            assertThat(evicting.refusal).contains(FailureCode.IN_USE);
            assertThat(scrubbed.findings())
                    .extracting(ScrubOutcome.Finding::verdict)
                    .containsExactly(ScrubOutcome.Verdict.GOOD);
            node.evict(snapshot, "nvme").succeeded();
        }
    }
}
