package io.gpusnap.node.tier.blob;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import io.gpusnap.node.tier.blob.BlobStore.IfThere;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What every shared store must do. A store's own test is a subclass that opens it. */
public abstract class BlobStoreContract {

    protected static final BlobKey PACK = BlobKey.pack(digest(1));

    protected BlobStore store;

    /** Opens the same store again on every call, as another node would. */
    protected abstract BlobStore open() throws Exception;

    @BeforeEach
    void openStore() throws Exception {
        store = open();
    }

    @AfterEach
    void closeStore() {
        store.close();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4096, 5 << 20, (33 << 20) + 17})
    void whatWasPutIsReadByEveryNode(int size) throws Exception {
        // given
        byte[] content = random(size, size);
        assertThat(store.put(PACK, MemorySegment.ofArray(content), IfThere.KEEP))
                .isTrue();
        // when
        try (BlobStore other = open()) {
            MemorySegment whole = MemorySegment.ofArray(new byte[size]);
            other.read(PACK, size, 0, whole);
            // then
            assertThat(whole.toArray(ValueLayout.JAVA_BYTE)).isEqualTo(content);
            assertThat(other.find(PACK))
                    .hasValueSatisfying(found -> assertThat(found.sizeBytes()).isEqualTo(size));
            assertThat(other.holds(PACK, MemorySegment.ofArray(content))).isTrue();
        }
    }

    @Test
    void aRangeIsReadExactly() throws Exception {
        byte[] content = random(100_000, 2);
        store.put(PACK, MemorySegment.ofArray(content), IfThere.KEEP);
        byte[] part = new byte[1000];
        store.read(PACK, content.length, 98_765, MemorySegment.ofArray(part));
        assertThat(part).isEqualTo(java.util.Arrays.copyOfRange(content, 98_765, 99_765));
    }

    @Test
    void anObjectOfAnotherSizeIsCorruptAndNothingOfItArrives() throws Exception {
        store.put(PACK, MemorySegment.ofArray(random(9000, 3)), IfThere.KEEP);
        byte[] target = new byte[100];
        for (long size : new long[] {100, 8999, 9001, 20_000}) {
            assertReason(Reason.CORRUPT, () -> store.read(PACK, size, size - 100, MemorySegment.ofArray(target)));
        }
        assertThat(target).containsOnly(0);
        assertThat(store.holds(PACK, MemorySegment.ofArray(random(8999, 3)))).isFalse();
    }

    @Test
    void anAbsentObjectIsMissing() throws Exception {
        assertReason(Reason.MISSING, () -> store.read(PACK, 10, 0, MemorySegment.ofArray(new byte[10])));
        assertReason(Reason.MISSING, () -> store.readAll(PACK, 10));
        assertThat(store.find(PACK)).isEmpty();
        assertThat(store.delete(PACK)).isFalse();
        assertThat(store.holds(PACK, MemorySegment.ofArray(new byte[1]))).isFalse();
    }

    @Test
    void keepLeavesWhatIsThereAndReplaceDoesNot() throws Exception {
        byte[] first = random(5000, 4);
        byte[] second = random(6000, 5);
        assertThat(store.put(PACK, MemorySegment.ofArray(first), IfThere.KEEP)).isTrue();
        assertThat(store.put(PACK, MemorySegment.ofArray(second), IfThere.KEEP)).isFalse();
        assertThat(store.readAll(PACK, 10_000)).isEqualTo(first);
        assertThat(store.put(PACK, MemorySegment.ofArray(second), IfThere.REPLACE))
                .isTrue();
        assertThat(store.readAll(PACK, 10_000)).isEqualTo(second);
    }

    @Test
    void ofManyWhoPutTheSameNameOneIsFirst() throws Exception {
        // given
        List<Callable<Boolean>> puts = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            byte[] content = random(20_000, 100 + i);
            puts.add(() -> store.put(PACK, MemorySegment.ofArray(content), IfThere.KEEP));
        }
        // when
        int first = 0;
        try (ExecutorService executor = Executors.newFixedThreadPool(8)) {
            for (Future<Boolean> put : executor.invokeAll(puts)) {
                first += put.get() ? 1 : 0;
            }
        }
        // then
        assertThat(first).isEqualTo(1);
        assertThat(store.find(PACK).orElseThrow().sizeBytes()).isEqualTo(20_000);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 256 << 10, (3 << 20) + 1})
    void anObjectOfUnknownSizeIsReadWhole(int size) throws Exception {
        byte[] content = random(size, 9);
        store.put(PACK, MemorySegment.ofArray(content), IfThere.KEEP);
        assertThat(store.readAll(PACK, 4 << 20)).isEqualTo(content);
        assertThat(store.readAll(PACK, size)).isEqualTo(content);
    }

    @Test
    void aLongerObjectThanExpectedIsNotReadAtAll() throws Exception {
        store.put(PACK, MemorySegment.ofArray(random(5000, 6)), IfThere.KEEP);
        assertReason(Reason.CORRUPT, () -> store.readAll(PACK, 4999));
    }

    @Test
    void foldersListWhatIsInThemByTheBeginningOfItsName() throws Exception {
        // given
        SnapshotId snapshot = SnapshotId.random();
        List<BlobKey> keys = List.of(
                PACK,
                BlobKey.pack(digest(2)),
                BlobKey.index(digest(1)),
                BlobKey.manifest(snapshot, UUID.randomUUID()),
                BlobKey.manifest(SnapshotId.random(), UUID.randomUUID()),
                BlobKey.marker());
        for (BlobKey key : keys) {
            store.put(key, MemorySegment.ofArray(random(100, key.hashCode())), IfThere.KEEP);
        }
        // then
        assertThat(store.list(BlobKey.Folder.PACKS, ""))
                .extracting(BlobInfo::key)
                .containsExactlyInAnyOrder(keys.get(0), keys.get(1));
        assertThat(store.list(BlobKey.Folder.INDEXES, ""))
                .extracting(BlobInfo::key)
                .containsExactly(keys.get(2));
        assertThat(store.list(BlobKey.Folder.SNAPSHOTS, "")).hasSize(2);
        assertThat(store.list(BlobKey.Folder.SNAPSHOTS, snapshot + "."))
                .singleElement()
                .satisfies(info -> {
                    assertThat(info.key()).isEqualTo(keys.get(3));
                    assertThat(info.sizeBytes()).isEqualTo(100);
                });
        assertThat(store.list(BlobKey.Folder.QUARANTINE, "")).isEmpty();
        // when
        assertThat(store.delete(PACK)).isTrue();
        // then
        assertThat(store.list(BlobKey.Folder.PACKS, "")).hasSize(1);
    }

    @Test
    void aFolderIsListedPartByPartInTheOrderOfItsNames() throws Exception {
        // given packs that lie in several folders, and others beside them
        List<BlobKey> packs = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            packs.add(BlobKey.pack(
                    new ChunkDigest("%02x".formatted(i * 37 % 3 * 0x55) + "%062x".formatted(i * 31 % 11))));
        }
        BlobKey index = BlobKey.index(digest(7));
        for (BlobKey key : packs) {
            store.put(key, MemorySegment.ofArray(random(10, 1)), IfThere.KEEP);
        }
        store.put(index, MemorySegment.ofArray(random(20, 1)), IfThere.KEEP);
        List<String> inOrder = packs.stream().map(BlobKey::path).sorted().toList();
        // when
        List<String> found = new ArrayList<>();
        List<BlobInfo> part = store.listAfter(BlobKey.Folder.PACKS, index.path(), 3);
        while (!part.isEmpty()) {
            assertThat(part)
                    .hasSizeLessThanOrEqualTo(3)
                    .allSatisfy(info -> assertThat(info.sizeBytes()).isEqualTo(10));
            part.forEach(info -> found.add(info.key().path()));
            part = store.listAfter(BlobKey.Folder.PACKS, found.getLast(), 3);
        }
        // then
        assertThat(found).isEqualTo(inOrder);
        assertThat(store.listAfter(BlobKey.Folder.PACKS, "", 100)).hasSize(8);
        // and from names on that nothing has, between two folders and behind the last one
        assertThat(store.listAfter(BlobKey.Folder.PACKS, "packs/01", 100))
                .extracting(info -> info.key().path())
                .isEqualTo(inOrder.stream()
                        .filter(path -> path.compareTo("packs/01") > 0)
                        .toList());
        assertThat(store.listAfter(BlobKey.Folder.PACKS, "packs/zz", 100)).isEmpty();
        assertThat(store.listAfter(BlobKey.Folder.INDEXES, inOrder.getFirst(), 100))
                .isEmpty();
        assertThat(store.listAfter(BlobKey.Folder.INDEXES, "", 1)).hasSize(1);
        assertThat(store.names(BlobKey.Folder.PACKS)).containsExactlyInAnyOrderElementsOf(packs);
        assertThat(store.names(BlobKey.Folder.QUARANTINE)).isEmpty();
    }

    @Test
    void nothingIsLeftHalfWritten() throws Exception {
        store.put(PACK, MemorySegment.ofArray(random(20 << 20, 7)), IfThere.KEEP);
        store.put(PACK, MemorySegment.ofArray(random(100, 8)), IfThere.KEEP);
        assertThat(store.removeUnfinished(Duration.ZERO)).isZero();
    }

    @Test
    void usageIsThatOfTheMedium() throws Exception {
        assertThat(store.usage().kind()).isEqualTo(store.kind());
        assertThat(store.usage().capacityBytes()).isPositive();
        assertThat(store.usage().freeBytes()).isBetween(0L, store.usage().capacityBytes());
        assertThat(store.trouble()).isEmpty();
    }

    protected static ChunkDigest digest(int number) {
        return new ChunkDigest("%064x".formatted(number));
    }

    protected static void assertReason(Reason reason, ThrowingCallable call) {
        assertThatExceptionOfType(TierException.class)
                .isThrownBy(call)
                .satisfies(e -> assertThat(e.reason()).as(e.getMessage()).isEqualTo(reason));
    }

    protected static byte[] random(int size, long seed) {
        byte[] content = new byte[size];
        new Random(seed).nextBytes(content);
        return content;
    }
}
