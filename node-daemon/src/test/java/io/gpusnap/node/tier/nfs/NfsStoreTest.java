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
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class NfsStoreTest extends BlobStoreContract {

    private static final Duration SHORT = Duration.ofMillis(300);
    /** Of a server that cannot say whether it did what it was asked. */
    private static final List<IOException> ANSWERS =
            List.of(new IOException("Input/output error"), new IOException("Stale file handle"));

    @TempDir
    Path root;

    @Override
    protected BlobStore open() {
        return new NfsStore(NfsSettings.of(root, Duration.ofSeconds(20)));
    }

    private NfsStore faulty(FaultyFiles files) {
        return files.store(root);
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
    void thatThereIsNoSuchFileIsAnAnswerToo() throws Exception {
        // given a mount in trouble, which works again
        FaultyFiles files = new FaultyFiles();
        NfsStore mended = faulty(files);
        files.failing("writeNew", new IOException("Input/output error"), 1);
        assertReason(Reason.UNAVAILABLE, () -> mended.put(PACK, MemorySegment.ofArray(random(100, 3)), IfThere.KEEP));
        // when it is asked for what it does not have
        Awaitility.await().ignoreExceptions().until(() -> mended.find(PACK).isEmpty());
        // then
        assertThat(mended.trouble()).isEmpty();
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
        assertThat(root.resolve("tmp")).isEmptyDirectory();
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

    @ParameterizedTest
    @CsvSource({"link, KEEP", "rename, REPLACE"})
    void aNameThatTheServerDoesNotGiveIsTroubleAndLeavesNothing(String call, IfThere ifThere) throws Exception {
        FaultyFiles files = new FaultyFiles();
        NfsStore losing = faulty(files);
        byte[] content = random(100, 3);
        for (IOException how : ANSWERS) {
            files.failing(call, how, 1);
            // when
            assertReason(Reason.UNAVAILABLE, () -> losing.put(PACK, MemorySegment.ofArray(content), ifThere));
            // then
            assertThat(losing.trouble()).isPresent();
            assertThat(open().find(PACK)).isEmpty();
            assertThat(root.resolve("tmp")).isEmptyDirectory();
            assertThat(putAgain(losing, content, ifThere)).isTrue();
            assertThat(losing.trouble()).isEmpty();
            assertThat(open().holds(PACK, MemorySegment.ofArray(content))).isTrue();
            open().delete(PACK);
        }
    }

    @ParameterizedTest
    @CsvSource({"writeNew, KEEP", "link, KEEP", "rename, REPLACE", "delete, KEEP", "syncFolder, KEEP"})
    void whatTheServerDidWithoutSayingSoIsAFailureAndTheNextPutMakesSure(String call, IfThere ifThere)
            throws Exception {
        FaultyFiles files = new FaultyFiles();
        NfsStore losing = faulty(files);
        byte[] content = random(100, 3);
        boolean named = !call.equals("writeNew");
        for (IOException how : ANSWERS) {
            files.before(one -> {});
            files.failingAfter(call, how);
            // when
            if (isStale(how) && (call.equals("delete") || call.equals("syncFolder"))) { // may be done twice, and is
                assertThat(losing.put(PACK, MemorySegment.ofArray(content), ifThere))
                        .isTrue();
            } else {
                assertReason(Reason.UNAVAILABLE, () -> losing.put(PACK, MemorySegment.ofArray(content), ifThere));
                assertThat(losing.trouble()).isPresent();
            }
            // then it is there whole or not at all
            assertThat(open().find(PACK).isPresent()).as(how.getMessage()).isEqualTo(named);
            assertThat(root.resolve("tmp")).isEmptyDirectory();
            // and counts only once its folder was synced
            AtomicInteger synced = new AtomicInteger();
            files.before(one -> synced.addAndGet(one.equals("syncFolder") ? 1 : 0));
            assertThat(putAgain(losing, content, ifThere)).isEqualTo(!named || ifThere == IfThere.REPLACE);
            assertThat(synced.get()).isPositive();
            assertThat(open().holds(PACK, MemorySegment.ofArray(content))).isTrue();
            open().delete(PACK);
        }
    }

    private static boolean isStale(IOException how) {
        return how.getMessage().startsWith("Stale");
    }

    @Test
    void aNameWhoseAnswerTheClientAskedForTwiceIsThereAlready() throws Exception {
        // given a client that sends again what was done, of which the second answer is that there is such a name
        FaultyFiles files = new FaultyFiles();
        NfsStore twice = faulty(files);
        byte[] content = random(100, 3);
        files.failingAfter("link", new FileAlreadyExistsException(PACK.path()));
        // when, then
        assertThat(twice.put(PACK, MemorySegment.ofArray(content), IfThere.KEEP))
                .isFalse();
        assertThat(twice.trouble()).isEmpty();
        assertThat(open().holds(PACK, MemorySegment.ofArray(content))).isTrue();
        assertThat(open().removeUnfinished(Duration.ZERO)).isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"writeNew", "link", "syncFolder"})
    void aWriteThatHangsHasFailedAndWhatItDoesLaterIsWhole(String call) throws Exception {
        FaultyFiles files = new FaultyFiles();
        NfsStore hanging = faulty(files, Duration.ofMillis(1500));
        CountDownLatch hang = new CountDownLatch(1);
        byte[] content = random(100, 3);
        files.before(one -> {
            if (one.equals(call)) {
                await(hang);
            }
        });
        // when
        assertReason(Reason.UNAVAILABLE, () -> hanging.put(PACK, MemorySegment.ofArray(content), IfThere.KEEP));
        // then
        assertThat(hanging.trouble()).isPresent();
        assertThat(open().find(PACK).isPresent()).isEqualTo(call.equals("syncFolder"));
        // when the call comes back after all
        hang.countDown();
        Awaitility.await().until(() -> files.running() == 0);
        // then it did its own part and no more
        assertThat(open().find(PACK).isPresent()).isEqualTo(!call.equals("writeNew"));
        open().removeUnfinished(Duration.ZERO);
        assertThat(putAgain(hanging, content, IfThere.KEEP)).isEqualTo(call.equals("writeNew"));
        assertThat(open().holds(PACK, MemorySegment.ofArray(content))).isTrue();
    }

    /** Once the mount is asked for something again. */
    private static boolean putAgain(NfsStore store, byte[] content, IfThere ifThere) {
        AtomicBoolean first = new AtomicBoolean();
        Awaitility.await().ignoreExceptions().until(() -> {
            first.set(store.put(PACK, MemorySegment.ofArray(content), ifThere));
            return true;
        });
        return first.get();
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
