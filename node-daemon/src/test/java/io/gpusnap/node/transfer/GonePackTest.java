package io.gpusnap.node.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.gpusnap.node.snapshot.Nearby;
import io.gpusnap.node.snapshot.SnapshotStore;
import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.TreeDigester;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import io.gpusnap.node.tier.blob.BlobKey;
import io.gpusnap.node.tier.blob.BlobStore;
import io.gpusnap.node.tier.nfs.NfsSettings;
import io.gpusnap.node.tier.nfs.NfsStore;
import io.gpusnap.node.tier.pack.FrameSettings;
import io.gpusnap.node.tier.pack.PackSettings;
import io.gpusnap.node.tier.pack.PackTier;
import io.gpusnap.node.tier.pack.WatchedStore;
import io.gpusnap.node.tier.s3.S3Server;
import io.gpusnap.node.tier.s3.S3Store;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Somebody has taken the packs of a bucket away that this node knows. What it reads then it finds wherever it is by now: what a store has
 * is not what this node knew of it a moment ago.
 */
class GonePackTest {

    private static final int CHUNKS = 4;
    private static final int CHUNK_BYTES = 200_000;

    @TempDir
    Path folder;

    private final Map<ChunkRef, byte[]> contents = new HashMap<>();
    private final AtomicInteger looks = new AtomicInteger();
    private String bucket;
    private SnapshotStore node;
    /** What happens while the bucket is looked through. */
    private volatile WatchedStore.Event meanwhile = () -> {};

    @BeforeEach
    void aNodeThatKnowsTheBucketsPacksAndAnEmptyShare() throws Exception {
        bucket = S3Server.shared().bucket();
        for (int i = 0; i < CHUNKS; i++) {
            byte[] content = new byte[CHUNK_BYTES + i];
            new Random(i).nextBytes(content);
            contents.put(new TreeDigester().digest(MemorySegment.ofArray(content)), content);
        }
        bring(bucket());
        node = StoredSnapshot.open(folder.resolve("node"), tier("s3", watched(bucket())), tier("nfs", share()));
        for (PackTier tier : node.sources().shared()) {
            tier.refresh();
        }
        looks.set(0);
    }

    @AfterEach
    void close() {
        node.close();
    }

    private BlobStore bucket() throws Exception {
        return new S3Store(S3Server.shared().settings(bucket));
    }

    private BlobStore share() throws Exception {
        return new NfsStore(NfsSettings.of(Files.createDirectories(folder.resolve("share")), Duration.ofSeconds(60)));
    }

    private static PackTier tier(String name, BlobStore store) {
        return new PackTier(PackSettings.of(name), store, FrameSettings.none());
    }

    private BlobStore watched(BlobStore store) {
        WatchedStore watched = new WatchedStore(store);
        watched.after("list indexes/", new WatchedStore.Event() {
            @Override
            public void happen() throws Exception {
                looks.incrementAndGet();
                watched.after("list indexes/", this);
                meanwhile.happen();
            }
        });
        return watched;
    }

    /** As another node does, in a pack of its own. */
    private void bring(BlobStore store) throws Exception {
        try (PackTier other = tier("other", store)) {
            for (Map.Entry<ChunkRef, byte[]> chunk : contents.entrySet()) {
                other.put(new ChunkDigest(chunk.getKey().digest()), MemorySegment.ofArray(chunk.getValue()));
            }
            other.sync();
        }
    }

    /** @return what was taken */
    private Map<BlobKey, byte[]> take(BlobKey.Folder... folders) throws Exception {
        Map<BlobKey, byte[]> taken = new HashMap<>();
        try (BlobStore store = bucket()) {
            for (BlobKey.Folder one : folders) {
                for (BlobKey key : store.names(one)) {
                    taken.put(key, store.readAll(key, 16 << 20));
                    store.delete(key);
                }
            }
        }
        return taken;
    }

    private void putBack(Map<BlobKey, byte[]> taken) throws Exception {
        try (BlobStore store = bucket()) {
            for (Map.Entry<BlobKey, byte[]> object : taken.entrySet()) {
                store.put(object.getKey(), MemorySegment.ofArray(object.getValue()), BlobStore.IfThere.REPLACE);
            }
        }
    }

    /** What a thaw does, of a snapshot whose manifest this node has. @return what came */
    private Set<ChunkRef> read() throws Exception {
        Set<ChunkRef> come = new HashSet<>();
        MemorySegment buffer = Arena.ofAuto().allocate(4 << 20, 4096);
        try (SharedReader reader = new SharedReader(node.sources())) {
            reader.read(
                    new ArrayList<>(contents.keySet()), Nearby.Target.at(buffer, (chunk, content) -> come.add(chunk)));
        }
        return come;
    }

    private void assertNothingIsFound() {
        assertThatExceptionOfType(TierException.class)
                .isThrownBy(this::read)
                .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.MISSING));
    }

    @Test
    void whatIsBackIsReadByTheNextThaw() throws Exception {
        Map<BlobKey, byte[]> taken = take(BlobKey.Folder.PACKS);
        assertNothingIsFound();
        assertThat(looks).hasValue(1);
        putBack(taken);
        assertThat(read()).isEqualTo(contents.keySet());
        assertThat(looks).hasValue(2);
    }

    @Test
    void whatWasBroughtAnewIsReadByTheNextThaw() throws Exception {
        take(BlobKey.Folder.PACKS, BlobKey.Folder.INDEXES);
        assertNothingIsFound();
        bring(bucket());
        assertThat(read()).isEqualTo(contents.keySet());
    }

    @Test
    void whatAnotherStoreHasByNowIsReadByTheNextThaw() throws Exception {
        take(BlobKey.Folder.PACKS);
        assertNothingIsFound();
        bring(share());
        assertThat(read()).isEqualTo(contents.keySet());
    }

    @Test
    void whatAnotherStoreHasByNowIsReadByTheSameThaw() throws Exception {
        bring(share());
        take(BlobKey.Folder.PACKS);
        assertThat(read()).isEqualTo(contents.keySet());
        assertThat(looks).hasValue(1);
    }

    /** Whether the thread waits for a look, makes it, or has ended. */
    private static boolean hasMissed(Thread reader) {
        return reader.getState() == Thread.State.TERMINATED
                || Arrays.stream(reader.getStackTrace())
                        .anyMatch(frame -> frame.getMethodName().equals("refreshSince"));
    }

    /** Whoever misses a chunk while the store is looked through waits, and has at most one more look with all the others. */
    @Test
    void threadsThatMissChunksAtTheSameTimeShareTheirLooks() throws Exception {
        // given
        take(BlobKey.Folder.PACKS);
        List<Thread> readers = new ArrayList<>();
        meanwhile = () -> {
            meanwhile = () -> {};
            while (!readers.stream().allMatch(GonePackTest::hasMissed)) {
                Thread.onSpinWait();
            }
        };
        AtomicInteger missing = new AtomicInteger();
        for (int i = 0; i < 2 * CHUNKS; i++) {
            readers.add(Thread.ofPlatform().unstarted(() -> {
                assertNothingIsFound();
                missing.incrementAndGet();
            }));
        }

        // when
        readers.forEach(Thread::start);
        for (Thread reader : readers) {
            reader.join();
        }

        // then
        assertThat(missing).hasValue(2 * CHUNKS);
        assertThat(looks).hasValueLessThanOrEqualTo(2);
    }

    @Test
    void aStoreIsNotLookedThroughForEachChunkThatItLacks() throws Exception {
        // given
        bring(share());
        take(BlobKey.Folder.PACKS, BlobKey.Folder.INDEXES);
        assertThat(read()).isEqualTo(contents.keySet());
        looks.set(0);

        // when
        assertThat(read()).isEqualTo(contents.keySet());
        assertThat(read()).isEqualTo(contents.keySet());

        // then
        assertThat(looks).hasValue(0);
    }
}
