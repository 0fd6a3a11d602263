package io.gpusnap.node.tier.s3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import io.gpusnap.node.tier.blob.BlobKey;
import io.gpusnap.node.tier.pack.FrameSettings;
import io.gpusnap.node.tier.pack.PackSettings;
import io.gpusnap.node.tier.pack.PackTier;
import io.gpusnap.node.tier.pack.SharedObject;
import io.gpusnap.node.tier.pack.StoreSweep;
import io.gpusnap.node.tier.s3.ListServer.Oddity;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A sweep that goes through a large bucket a part at a time asks for each part, not for the bucket each time. */
class SweepListingTest {

    private static final int PACKS = 4500;
    private static final int PART = 1500;

    private final List<String> swept = new ArrayList<>();
    private final List<String> all = new ArrayList<>();

    @BeforeEach
    void aBucketOfPacksAndStrangers() {
        Random random = new Random(1);
        for (int i = 0; i < PACKS; i++) {
            byte[] id = new byte[ChunkDigest.BYTES];
            random.nextBytes(id);
            swept.add(BlobKey.pack(ChunkDigest.of(id)).path());
            swept.add(BlobKey.index(ChunkDigest.of(id)).path());
        }
        swept.add(BlobKey.map(SnapshotId.random(), UUID.randomUUID()).path());
        swept.sort(null);
        all.addAll(swept);
        all.addAll(List.of("aaa", "gpusnap-store.json", "packs/README", "snapshots/x", "zzz"));
    }

    private static List<SharedObject> part(StoreSweep sweep, List<String> before) throws TierException {
        return sweep.listAfter(before.isEmpty() ? "" : before.getLast(), PART);
    }

    private List<String> inParts(ListServer server) throws Exception {
        List<String> found = new ArrayList<>();
        try (PackTier tier = new PackTier(PackSettings.of("s3"), server.store(), FrameSettings.none())) {
            List<SharedObject> part = part(tier.sweep(), found);
            while (!part.isEmpty()) {
                assertThat(part).hasSizeLessThanOrEqualTo(PART);
                part.forEach(object -> found.add(object.name()));
                part = part(tier.sweep(), found);
            }
        }
        return found;
    }

    @Test
    void theBucketIsListedOnceForAllItsPartsTogether() throws Exception {
        try (ListServer server = new ListServer(all, Oddity.NONE)) {
            assertThat(inParts(server)).isEqualTo(swept);
            // then each name was listed once, the strangers among them where their folder is looked at
            assertThat(server.listed()).isBetween(swept.size(), swept.size() + 10);
            // a part of 1500 are two requests, where it goes over to the next folder three, and the last part is empty
            int parts = Math.ceilDiv(swept.size(), PART) + 1;
            assertThat(server.requests()).isLessThanOrEqualTo(2 * parts + 3);
        }
    }

    @Test
    void aStoreThatListsInAnotherOrderIsListedWholeAndNothingIsLeftOut() throws Exception {
        try (ListServer server = new ListServer(all, Oddity.BACKWARDS)) {
            assertThat(inParts(server)).isEqualTo(swept);
        }
    }

    @Test
    void aStoreThatSaysThatThereIsMoreAndListsNothingIsNotAskedForEver() throws Exception {
        try (ListServer server = new ListServer(all, Oddity.EMPTY_AND_MORE)) {
            assertThatExceptionOfType(TierException.class)
                    .isThrownBy(() -> inParts(server))
                    .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.IO));
            assertThat(server.requests()).isEqualTo(1);
        }
    }
}
