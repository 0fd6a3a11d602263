package io.gpusnap.node.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.TreeDigester;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class GroupedProofTest {

    private static final int CHUNKS = 200;
    private static final int CHUNK_BYTES = 8;
    private static final int GROUP_BYTES = 7 * CHUNK_BYTES;

    /** What happened, in its order: {@code stored 3}, {@code sync}, {@code synced}, {@code read 3}. */
    private final List<String> events = Collections.synchronizedList(new ArrayList<>());

    private final List<ChunkRef> chunks =
            IntStream.range(0, CHUNKS).mapToObj(GroupedProofTest::chunk).toList();

    private static ChunkRef chunk(int number) {
        byte[] content =
                ByteBuffer.allocate(CHUNK_BYTES).putLong(0, number + 1L).array();
        return new TreeDigester().digest(MemorySegment.ofArray(content));
    }

    private void sync() {
        events.add("sync");
        Thread.yield();
        events.add("synced");
    }

    private void store(GroupedProof proof, ChunkRef chunk) throws TierException {
        events.add("stored " + chunk.digest());
        proof.stored(chunk);
    }

    private void assertReadOnceAfterASyncThatBeganAfterItWasStored(ChunkRef chunk) {
        int stored = events.indexOf("stored " + chunk.digest());
        int read = events.indexOf("read " + chunk.digest());
        assertThat(Collections.frequency(events, "read " + chunk.digest())).isEqualTo(1);
        List<String> between = events.subList(stored, read);
        int began = between.indexOf("sync");
        assertThat(began)
                .as("a sync that began before %s was read", chunk.digest())
                .isPositive();
        assertThat(between.subList(began, between.size())).contains("synced");
    }

    @Test
    void everyChunkIsReadAfterASyncThatBeganAfterItWasStored() throws Exception {
        // given
        try (GroupedProof proof =
                new GroupedProof(GROUP_BYTES, this::sync, 3, any -> chunk -> events.add("read " + chunk.digest()))) {
            // when
            Crew.each("store", 4, TierException.class, chunks, () -> chunk -> store(proof, chunk));
            proof.finish();
        }
        // then
        chunks.forEach(this::assertReadOnceAfterASyncThatBeganAfterItWasStored);
        assertThat(Collections.frequency(events, "sync")).isBetween(2, CHUNKS / 7 + 1);
    }

    @Test
    void whatIsLessThanAGroupWaitsForTheEnd() throws Exception {
        try (GroupedProof proof =
                new GroupedProof(GROUP_BYTES, this::sync, 1, any -> chunk -> events.add("read " + chunk.digest()))) {
            store(proof, chunks.getFirst());
            proof.finish();
        }
        assertThat(events)
                .containsExactly(
                        "stored " + chunks.getFirst().digest(),
                        "sync",
                        "synced",
                        "read " + chunks.getFirst().digest());
    }

    @Test
    void whatIsNotProvenEndsTheStoringOfMore() {
        assertThatExceptionOfType(TierException.class)
                .isThrownBy(() -> {
                    try (GroupedProof proof = new GroupedProof(GROUP_BYTES, this::sync, 1, any -> chunk -> {
                        throw new TierException(Reason.CORRUPT, "chunk " + chunk.digest());
                    })) {
                        // when one goes on to store
                        while (true) {
                            proof.stored(chunks.getFirst());
                        }
                    }
                })
                .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.CORRUPT));
    }

    @Test
    void nothingIsReadOnceASyncHasFailed() {
        assertThatExceptionOfType(TierException.class)
                .isThrownBy(() -> {
                    try (GroupedProof proof = new GroupedProof(
                            GROUP_BYTES,
                            () -> {
                                throw new TierException(Reason.IO, "drive");
                            },
                            1,
                            any -> chunk -> events.add("read " + chunk.digest()))) {
                        for (ChunkRef chunk : chunks) {
                            proof.stored(chunk);
                        }
                        proof.finish();
                    }
                })
                .withMessage("drive");
        assertThat(events).isEmpty();
    }

    @Test
    void closingEndsItsThreads() throws Exception {
        // given a reader that is at work
        CountDownLatch reading = new CountDownLatch(1);
        CountDownLatch ended = new CountDownLatch(1);
        GroupedProof proof = new GroupedProof(1, this::sync, 1, any -> chunk -> {
            reading.countDown();
            try {
                new CountDownLatch(1).await();
            } finally {
                ended.countDown();
            }
        });
        proof.stored(chunks.getFirst());
        reading.await();
        // when
        proof.close();
        // then
        assertThat(ended.getCount()).isZero();
    }
}
