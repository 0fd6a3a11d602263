package io.gpusnap.node.tier.nfs;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.tier.TierException.Reason;
import io.gpusnap.node.tier.blob.BlobKey;
import io.gpusnap.node.tier.blob.BlobStore;
import io.gpusnap.node.tier.blob.BlobStore.IfThere;
import io.gpusnap.node.tier.blob.BlobStoreContract;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NfsStoreTest extends BlobStoreContract {

    private static final Duration SHORT = Duration.ofMillis(300);

    @TempDir
    Path root;

    @Override
    protected BlobStore open() {
        return new NfsStore(NfsSettings.of(root, Duration.ofSeconds(20)));
    }

    private NfsStore faulty(FaultyFiles files) {
        return faulty(files, Duration.ofSeconds(20));
    }

    /** @param deadline that a call which does not hang keeps, too */
    private NfsStore faulty(FaultyFiles files, Duration deadline) {
        return new NfsStore(new NfsSettings(root, deadline, 3, Duration.ofMillis(50)), files);
    }

    @Test
    void aMountThatHangsFailsCallsInTimeAndThenAtOnceUntilItAnswersAgain() throws Exception {
        // given a store whose mount hangs
        CountDownLatch hang = new CountDownLatch(1);
        FaultyFiles files = new FaultyFiles();
        NfsStore hanging = faulty(files, SHORT);
        store.put(PACK, MemorySegment.ofArray(random(100, 1)), IfThere.KEEP);
        files.before(call -> await(hang));
        // when
        for (int i = 0; i < 10; i++) {
            assertReason(Reason.UNAVAILABLE, () -> hanging.find(PACK));
        }
        // then it is known to be in trouble, and no more calls hang than may
        assertThat(hanging.trouble()).hasValueSatisfying(why -> assertThat(why).contains("did not"));
        assertThat(files.running()).isLessThanOrEqualTo(3);
        // and it comes back by itself
        hang.countDown();
        files.before(call -> {});
        Awaitility.await().ignoreExceptions().until(() -> hanging.find(PACK).isPresent());
        assertThat(hanging.trouble()).isEmpty();
    }

    @Test
    void aReadThatWasGivenUpNeverWritesIntoTheCallersMemory() throws Exception {
        // given
        CountDownLatch hang = new CountDownLatch(1);
        FaultyFiles files = new FaultyFiles();
        NfsStore hanging = faulty(files, SHORT);
        store.put(PACK, MemorySegment.ofArray(random(4096, 1)), IfThere.KEEP);
        files.before(call -> {
            if (call.equals("read")) {
                await(hang);
            }
        });
        byte[] target = new byte[4096];
        assertReason(Reason.UNAVAILABLE, () -> hanging.read(PACK, 4096, 0, MemorySegment.ofArray(target)));
        // when the read comes back after all
        hang.countDown();
        Awaitility.await().until(() -> files.running() == 0);
        // then
        assertThat(target).containsOnly(0);
    }

    @Test
    void aPartOfAListingLooksAtItsOwnObjectsOnlyAndNamesAtNone() throws Exception {
        // given a thousand packs
        FaultyFiles files = new FaultyFiles();
        NfsStore counted = faulty(files);
        for (int i = 0; i < 1000; i++) {
            Path pack = root.resolve(BlobKey.pack(new ChunkDigest("%02x%062x".formatted(i % 50, i)))
                    .path());
            Files.createDirectories(pack.getParent());
            Files.write(pack, new byte[] {1});
        }
        List<String> calls = Collections.synchronizedList(new ArrayList<>());
        files.before(calls::add);
        // when the last tenth of them is listed
        assertThat(counted.listAfter(BlobKey.Folder.PACKS, "packs/2d", 100)).hasSize(100);
        // then
        assertThat(Collections.frequency(calls, "list")).isBetween(2, 7);
        assertThat(Collections.frequency(calls, "attributes")).isBetween(100, 107);
        // when
        calls.clear();
        assertThat(counted.names(BlobKey.Folder.PACKS)).hasSize(1000);
        // then a call for each of the 50 folders, and for the one above them
        assertThat(Collections.frequency(calls, "attributes")).isEqualTo(51);
        assertThat(Collections.frequency(calls, "list")).isEqualTo(51);
    }

    @Test
    void aStaleHandleIsOpenedAgainAndOneThatStaysStaleIsTrouble() throws Exception {
        FaultyFiles files = new FaultyFiles();
        NfsStore stale = faulty(files);
        byte[] content = random(5000, 2);
        stale.put(PACK, MemorySegment.ofArray(content), IfThere.KEEP);
        // when it is stale once
        files.failing("read", new IOException("Stale file handle"), 1);
        // then nobody notices
        assertThat(stale.readAll(PACK, 5000)).isEqualTo(content);
        // when it stays stale
        files.failing("read", new IOException("Stale file handle"), Integer.MAX_VALUE);
        assertReason(Reason.UNAVAILABLE, () -> stale.readAll(PACK, 5000));
        assertThat(stale.trouble()).isPresent();
    }

    @Test
    void whatCouldNotBeSyncedIsThrownAwayAndNeverThere() throws Exception {
        FaultyFiles files = new FaultyFiles();
        NfsStore losing = faulty(files);
        files.failing("writeNew", new IOException("Input/output error"), 1);
        assertReason(Reason.UNAVAILABLE, () -> losing.put(PACK, MemorySegment.ofArray(random(100, 3)), IfThere.KEEP));
        assertThat(losing.trouble()).isPresent();
        assertThat(open().find(PACK)).isEmpty();
        Awaitility.await()
                .ignoreExceptions()
                .until(() -> losing.put(PACK, MemorySegment.ofArray(random(100, 3)), IfThere.KEEP));
        assertThat(open().find(PACK)).isPresent();
    }

    @Test
    void aFolderThatCouldNotBeSyncedIsTroubleAndTheNextWriteMakesSure() throws Exception {
        FaultyFiles files = new FaultyFiles();
        NfsStore losing = faulty(files);
        byte[] content = random(100, 3);
        files.failing("syncFolder", new IOException("Input/output error"), 1);
        // when
        assertReason(Reason.UNAVAILABLE, () -> losing.put(PACK, MemorySegment.ofArray(content), IfThere.KEEP));
        // then it is not used until it answers
        assertThat(losing.trouble()).isPresent();
        // and the same again is only done when the folder is synced
        AtomicInteger synced = new AtomicInteger();
        files.before(call -> {
            if (call.equals("syncFolder")) {
                synced.incrementAndGet();
            }
        });
        Awaitility.await().ignoreExceptions().until(() -> {
            losing.put(PACK, MemorySegment.ofArray(content), IfThere.KEEP);
            return true;
        });
        assertThat(synced.get()).isPositive();
        assertThat(open().find(PACK)).isPresent();
        assertThat(losing.removeUnfinished(Duration.ZERO)).isZero();
    }

    @Test
    void aFullDiskIsNoSpaceAndLeavesNothing() throws Exception {
        FaultyFiles files = new FaultyFiles();
        NfsStore full = faulty(files);
        for (String call : List.of("writeNew", "link", "createFolder")) {
            files.failing(call, new IOException("No space left on device"), 1);
            assertReason(Reason.NO_SPACE, () -> full.put(PACK, MemorySegment.ofArray(random(100, 3)), IfThere.KEEP));
        }
        files.failing("rename", new IOException("No space left on device"), 1);
        assertReason(Reason.NO_SPACE, () -> full.put(PACK, MemorySegment.ofArray(random(100, 3)), IfThere.REPLACE));
        assertThat(full.find(PACK)).isEmpty();
        assertThat(full.removeUnfinished(Duration.ZERO)).isZero();
        assertThat(full.put(PACK, MemorySegment.ofArray(random(100, 3)), IfThere.KEEP))
                .isTrue();
    }

    @Test
    void aMountPointWithoutItsMountIsNotWrittenTo() {
        Path gone = root.resolve("not-mounted");
        NfsStore store = new NfsStore(NfsSettings.of(gone, Duration.ofSeconds(20)));
        assertReason(Reason.IO, () -> store.put(PACK, MemorySegment.ofArray(random(100, 3)), IfThere.KEEP));
        assertThat(gone).doesNotExist();
    }

    @Test
    void linksAndStrangersAreLeftAlone(@TempDir Path outside) throws Exception {
        // given a file of the store that is a link, a folder that is one, and names that no store gives
        Path secret = Files.writeString(outside.resolve("secret"), "secret");
        Path pack = root.resolve(PACK.path());
        Files.createDirectories(pack.getParent());
        Files.createSymbolicLink(pack, secret);
        Files.writeString(pack.resolveSibling("..data"), "stranger");
        Files.createSymbolicLink(root.resolve("indexes"), outside);
        // then
        assertThat(store.find(PACK)).isEmpty();
        assertReason(Reason.CORRUPT, () -> store.read(PACK, 6, 0, MemorySegment.ofArray(new byte[6])));
        assertThat(store.list(BlobKey.Folder.PACKS, "")).isEmpty();
        assertReason(
                Reason.IO,
                () -> store.put(BlobKey.index(digest(1)), MemorySegment.ofArray(random(10, 1)), IfThere.REPLACE));
        store.put(PACK, MemorySegment.ofArray(random(10, 1)), IfThere.REPLACE);
        assertThat(secret).hasContent("secret");
        assertThat(outside).isDirectoryContaining(file -> file.equals(secret)).isDirectoryNotContaining("glob:**/0*");
    }

    @Test
    void whatADeadWriterLeftIsRemovedByItsAge() throws Exception {
        Files.createDirectories(root.resolve("tmp"));
        Files.writeString(root.resolve("tmp/left-over"), "half a pack");
        assertThat(store.removeUnfinished(Duration.ofHours(1))).isZero();
        assertThat(store.removeUnfinished(Duration.ZERO)).isEqualTo(1);
        assertThat(root.resolve("tmp")).isEmptyDirectory();
    }

    private static void await(CountDownLatch latch) {
        boolean open = false;
        while (!open) {
            try {
                latch.await();
                open = true;
            } catch (InterruptedException e) {
                // as a call to a mount that hangs: nothing ends it
                continue;
            }
        }
    }
}
