package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.node.snapshot.SnapshotStore;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.transfer.StoredSnapshot;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ResidentsTest {
    private static final int CHUNK_BYTES = 8192;

    @TempDir
    private Path folder;

    private SnapshotStore store;
    private StoredSnapshot snapshot;
    private Residents residents;

    @BeforeEach
    void givenASnapshotOfFourChunksAndAPoolOfThree() throws Exception {
        store = StoredSnapshot.open(folder, 12 << 20);
        snapshot = StoredSnapshot.make(store, SnapshotId.random(), 4, CHUNK_BYTES);
        residents = new Residents(store);
    }

    @AfterEach
    void close() {
        store.close();
    }

    private void pool(int chunk) throws Exception {
        byte[] content = new byte[CHUNK_BYTES];
        new Random(chunk).nextBytes(content);
        ChunkRef ref = snapshot.chunks().get(chunk);
        store.memory().put(ref.content().orElseThrow(), MemorySegment.ofArray(content));
    }

    @Test
    void whatThePoolHasOfASnapshotIsToldAndWhatItGaveUpIsNot() throws Exception {
        assertThat(residents.now()).isEmpty();

        for (int chunk = 0; chunk < 3; chunk++) {
            pool(chunk);
        }
        assertThat(residents.now())
                .containsExactly(new Resident(snapshot.snapshot(), 3 * CHUNK_BYTES, 4 * CHUNK_BYTES));

        store.memory().delete(snapshot.chunks().getFirst().content().orElseThrow());
        assertThat(residents.now())
                .containsExactly(new Resident(snapshot.snapshot(), 2 * CHUNK_BYTES, 4 * CHUNK_BYTES));
    }

    @Test
    void aSnapshotThatWasDeletedIsNotTold() throws Exception {
        pool(0);
        StoredSnapshot other = StoredSnapshot.make(store, SnapshotId.random(), 1, CHUNK_BYTES);
        assertThat(residents.now())
                .extracting(Resident::snapshot)
                .containsExactlyInAnyOrder(snapshot.snapshot(), other.snapshot());

        store.delete(snapshot.snapshot());

        assertThat(residents.now()).containsExactly(new Resident(other.snapshot(), CHUNK_BYTES, CHUNK_BYTES));
    }
}
