package io.gpusnap.node.tier.pack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.gpusnap.gpu.Buffers;
import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.store.TreeDigester;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import io.gpusnap.node.tier.blob.BlobKey;
import io.gpusnap.node.tier.key.KeyFolder;
import io.gpusnap.node.tier.key.KeyProvider;
import io.gpusnap.node.tier.key.KeyRing;
import io.gpusnap.node.tier.key.ManifestSigner;
import io.gpusnap.node.tier.key.SharedKeyFolder;
import io.gpusnap.node.tier.key.TenantKeys;
import io.gpusnap.node.tier.nfs.NfsSettings;
import io.gpusnap.node.tier.nfs.NfsStore;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Data keys of a tenant that follow each other, keys that wrap them and are changed, and tenants that share a store. */
class KeyRotationTest {

    private static final String OLD = "0123456789abcdef".repeat(4);
    private static final String NEW = "f".repeat(64);

    @TempDir
    Path root;

    private NfsStore store() {
        return new NfsStore(NfsSettings.of(root, Duration.ofSeconds(20)));
    }

    private PackTier tier(String tenant, KeyProvider keys) {
        NfsStore store = store();
        return new PackTier(
                PackSettings.of("nfs"),
                store,
                new FrameSettings(
                        Compression.OFF,
                        Optional.of(new TenantKeys(new SharedKeyFolder(store), keys, tenant)),
                        ManifestSigner.none()));
    }

    private PackTier tier(String tenant, String keys) {
        return tier(tenant, KeyRing.ofHex(keys));
    }

    private PackTier plain() {
        return new PackTier(PackSettings.of("nfs"), store(), FrameSettings.none());
    }

    private static byte[] content(int seed) {
        byte[] content = new byte[20_000];
        new Random(seed).nextBytes(content);
        return content;
    }

    private static ChunkRef put(PackTier tier, byte[] content) throws TierException {
        ChunkRef chunk = new TreeDigester().digest(MemorySegment.ofArray(content));
        tier.put(new ChunkDigest(chunk.digest()), MemorySegment.ofArray(content));
        tier.sync();
        return chunk;
    }

    private static byte[] read(PackTier tier, byte[] content) throws TierException {
        ChunkRef chunk = new TreeDigester().digest(MemorySegment.ofArray(content));
        MemorySegment buffer = Arena.ofAuto().allocate(4 << 20, 4096);
        tier.read(new ChunkDigest(chunk.digest()), chunk.sizeBytes(), buffer);
        return buffer.asSlice(0, content.length).toArray(ValueLayout.JAVA_BYTE);
    }

    private static TenantKeys keys(PackTier tier) {
        return tier.keys().orElseThrow();
    }

    @Test
    void nodesThatRunEncryptByTheNewKeyFromTheirNextPackOn() throws Exception {
        try (PackTier running = tier("tenant-a", OLD);
                PackTier operator = tier("tenant-a", OLD)) {
            put(running, content(1));
            // when
            assertThat(keys(operator).rotate(operator.storeId(), operator.sealedBy(keys(operator))))
                    .isEqualTo(1);
            put(running, content(2));
            // then
            assertThat(scopes()).containsExactlyInAnyOrder("tenant-a", "tenant-a#1");
            try (PackTier later = tier("tenant-a", OLD)) {
                assertThat(read(later, content(1))).isEqualTo(content(1));
                assertThat(read(later, content(2))).isEqualTo(content(2));
            }
            assertThat(read(running, content(2))).isEqualTo(content(2));
            // and a snapshot may lie in packs of both
            List<ChunkRef> chunks = List.of(
                    new TreeDigester().digest(MemorySegment.ofArray(content(1))),
                    new TreeDigester().digest(MemorySegment.ofArray(content(2))));
            SnapshotId snapshot = SnapshotId.random();
            running.publish(snapshot, UUID.randomUUID(), new byte[] {'m'}, chunks);
            try (PackTier later = tier("tenant-a", OLD);
                    Buffers buffers = new Buffers()) {
                later.manifest(snapshot, found -> true);
                List<ChunkRef> found = new ArrayList<>();
                for (PackRun run : later.runs(chunks)) {
                    assertThat(later.runReader(buffers).read(run, (chunk, bytes) -> found.add(chunk)))
                            .isEmpty();
                }
                assertThat(found).containsExactlyInAnyOrderElementsOf(chunks);
            }
        }
    }

    @Test
    void aCopyThatIsMadeAfterwardsSharesNothingThatAnOlderKeyHasEncrypted() throws Exception {
        // given a chunk of a key that was followed by another one
        byte[] content = content(1);
        try (PackTier tier = tier("tenant-a", OLD)) {
            ChunkRef chunk = put(tier, content);
            keys(tier).rotate(tier.storeId(), tier.sealedBy(keys(tier)));
            // when
            UUID copy = UUID.randomUUID();
            PackWriter writer = tier.writer(copy);
            PackWriter.Plan plan = writer.plan(List.of(chunk)).getFirst();
            assertThat(plan.done()).isFalse();
            try (PackWriter.Desk desk = writer.desk(List.of(plan))) {
                desk.write(plan, wanted -> MemorySegment.ofArray(content));
            }
            List<SharedObject> objects = tier.publish(SnapshotId.random(), copy, new byte[] {'m'}, List.of(chunk));
            // then the snapshot needs no pack of the old key
            assertThat(tier.storedBytesByScope()).containsOnlyKeys("tenant-a", "tenant-a#1");
            assertThat(objects.stream().filter(object -> object.name().startsWith("packs/")))
                    .singleElement()
                    .satisfies(pack -> assertThat(packsOf("tenant-a#1")).containsExactly(pack.name()));
            // and what the new key has encrypted is shared
            assertThat(tier.writer(UUID.randomUUID()).plan(List.of(chunk))).isEmpty();
        }
    }

    private List<String> packsOf(String scope) throws TierException {
        List<String> packs = new ArrayList<>();
        try (NfsStore store = store()) {
            for (var index : store.list(BlobKey.Folder.INDEXES, "")) {
                byte[] bytes = store.readAll(index.key(), 1 << 20);
                PackTable.decode(bytes, "index").packs().stream()
                        .filter(pack -> pack.scope().equals(scope))
                        .forEach(pack ->
                                packs.add(BlobKey.pack(PackTable.idOf(bytes)).path()));
            }
        }
        return packs;
    }

    private List<String> scopes() throws TierException {
        List<String> scopes = new ArrayList<>();
        try (NfsStore store = store()) {
            for (var index : store.list(BlobKey.Folder.INDEXES, "")) {
                PackTable.decode(store.readAll(index.key(), 1 << 20), "index")
                        .packs()
                        .forEach(pack -> scopes.add(pack.scope()));
            }
        }
        return scopes;
    }

    @Test
    void theKeyThatWrapsIsChangedWhileNodesWork() throws Exception {
        byte[] before = content(1);
        byte[] after = content(2);
        try (PackTier first = tier("tenant-a", OLD)) {
            put(first, before);
            keys(first).rotate(first.storeId(), first.sealedBy(keys(first)));
            put(first, after);
        }
        // given nodes with both keys, of which one wraps by the new one already
        try (PackTier behind = tier("tenant-a", OLD + "\n" + NEW);
                PackTier ahead = tier("tenant-a", NEW + "\n" + OLD)) {
            assertThat(read(behind, before)).isEqualTo(before);
            List<String> progress = new ArrayList<>();
            // when
            int changed = keys(ahead).rewrap(ahead.storeId(), (done, all) -> progress.add(done + " of " + all));
            // then
            assertThat(changed).isEqualTo(2);
            assertThat(progress).containsExactly("1 of 2", "2 of 2");
            assertThat(keys(ahead).list())
                    .allMatch(key -> key.keyId().equals(KeyRing.ofHex(NEW).keyId()))
                    .extracting(TenantKeys.Listed::current)
                    .containsExactly(false, true);
            assertThat(keys(ahead).rewrap(ahead.storeId(), (done, all) -> {})).isZero();
            assertThat(read(behind, after)).isEqualTo(after);
        }
        // and the old key is of no use any more
        try (PackTier later = tier("tenant-a", NEW);
                PackTier late = tier("tenant-a", OLD)) {
            assertThat(read(later, before)).isEqualTo(before);
            assertThat(read(later, after)).isEqualTo(after);
            assertFails(Reason.NO_KEY, "was wrapped by key", () -> read(late, before));
            assertFails(
                    Reason.NO_KEY, "was wrapped by key", () -> keys(late).rewrap(late.storeId(), (done, all) -> {}));
        }
    }

    /** A provider that dies when it has wrapped some keys. */
    private record Dying(KeyProvider real, int[] left) implements KeyProvider {

        @Override
        public String keyId() {
            return real.keyId();
        }

        @Override
        public byte[] wrap(byte[] dataKey, String context) throws TierException {
            if (left[0]-- == 0) {
                throw new TierException(Reason.UNAVAILABLE, "the key service is away");
            }
            return real.wrap(dataKey, context);
        }

        @Override
        public byte[] unwrap(byte[] wrapped, String keyId, String context) throws TierException {
            return real.unwrap(wrapped, keyId, context);
        }
    }

    @Test
    void aRewrapThatWasCutOffLosesNothingAndIsRunAgain() throws Exception {
        try (PackTier first = tier("tenant-a", OLD)) {
            put(first, content(1));
            keys(first).rotate(first.storeId(), first.sealedBy(keys(first)));
            keys(first).rotate(first.storeId(), first.sealedBy(keys(first)));
        }
        try (PackTier dying = tier("tenant-a", new Dying(KeyRing.ofHex(NEW + "\n" + OLD), new int[] {1}))) {
            assertFails(Reason.UNAVAILABLE, "is away", () -> keys(dying).rewrap(dying.storeId(), (done, all) -> {}));
        }
        try (PackTier again = tier("tenant-a", NEW + "\n" + OLD)) {
            assertThat(read(again, content(1))).isEqualTo(content(1));
            assertThat(keys(again).rewrap(again.storeId(), (done, all) -> {})).isEqualTo(2);
        }
        try (PackTier later = tier("tenant-a", NEW)) {
            assertThat(read(later, content(1))).isEqualTo(content(1));
        }
    }

    private List<Path> keyFiles() throws Exception {
        try (var keys = Files.list(root.resolve("keys"))) {
            return keys.sorted().toList();
        }
    }

    @Test
    void aKeyThatVanishedFromTheStoreIsNotMadeAnew() throws Exception {
        // given
        try (PackTier first = tier("tenant-a", OLD)) {
            put(first, content(1));
        }
        Path key = keyFiles().getFirst();
        byte[] wrapped = Files.readAllBytes(key);
        Files.delete(key);
        // when
        try (PackTier later = tier("tenant-a", OLD)) {
            assertFails(
                    Reason.NO_KEY,
                    "data key 0 of tenant-a is not in " + store().location()
                            + ", and was: what it has encrypted is there." + " Put keys/" + key.getFileName() + " back",
                    () -> put(later, content(2)));
            assertFails(Reason.NO_KEY, "Put keys/", () -> later.writer(UUID.randomUUID()));
        }
        // then there is none, and who is new here gets his all the same
        assertThat(keyFiles()).isEmpty();
        try (PackTier other = tier("tenant-b", OLD)) {
            put(other, content(3));
            assertThat(read(other, content(3))).isEqualTo(content(3));
        }
        // and with the key all goes on
        Files.write(key, wrapped);
        try (PackTier mended = tier("tenant-a", OLD)) {
            put(mended, content(2));
            assertThat(read(mended, content(1))).isEqualTo(content(1));
            assertThat(scopes()).containsExactlyInAnyOrder("tenant-a", "tenant-b", "tenant-a");
        }
    }

    @Test
    void aKeyThatVanishesUnderARunningDaemonIsPutBackAsItWas() throws Exception {
        try (PackTier running = tier("tenant-a", OLD)) {
            put(running, content(1));
            Path key = keyFiles().getFirst();
            byte[] wrapped = Files.readAllBytes(key);
            // when it seals the next pack, begins a copy, or ends one
            Files.delete(key);
            put(running, content(2));
            assertThat(key).hasBinaryContent(wrapped);
            Files.delete(key);
            UUID copy = UUID.randomUUID();
            running.writer(copy);
            assertThat(key).hasBinaryContent(wrapped);
            Files.delete(key);
            running.publish(SnapshotId.random(), copy, new byte[] {'m'}, List.of());
            // then
            assertThat(keyFiles()).containsExactly(key);
            assertThat(key).hasBinaryContent(wrapped);
        }
        try (PackTier later = tier("tenant-a", OLD)) {
            assertThat(read(later, content(1))).isEqualTo(content(1));
            assertThat(read(later, content(2))).isEqualTo(content(2));
        }
    }

    @Test
    void theNewestOfSeveralKeysIsPutBackAsWellAndNoOlderOneTakesItsPlace() throws Exception {
        try (PackTier running = tier("tenant-a", OLD)) {
            put(running, content(1));
            List<Path> before = keyFiles();
            keys(running).rotate(running.storeId(), running.sealedBy(keys(running)));
            List<Path> all = keyFiles();
            Path newest = all.stream()
                    .filter(file -> !before.contains(file))
                    .findAny()
                    .orElseThrow();
            byte[] wrapped = Files.readAllBytes(newest);
            Files.delete(newest);

            put(running, content(2));

            assertThat(scopes()).containsExactlyInAnyOrder("tenant-a", "tenant-a#1");
            assertThat(newest).hasBinaryContent(wrapped);
            assertThat(keyFiles()).isEqualTo(all);
        }
    }

    @Test
    void whatIsPutBackIsWhatTheKeyWasWrappedToLast() throws Exception {
        try (PackTier running = tier("tenant-a", OLD + "\n" + NEW);
                PackTier operator = tier("tenant-a", NEW + "\n" + OLD)) {
            put(running, content(1));
            keys(operator).rewrap(operator.storeId(), (done, all) -> {});
            put(running, content(2));
            Path key = keyFiles().getFirst();
            byte[] wrapped = Files.readAllBytes(key);
            Files.delete(key);

            put(running, content(3));

            assertThat(key).hasBinaryContent(wrapped);
        }
        try (PackTier later = tier("tenant-a", NEW)) {
            assertThat(read(later, content(3))).isEqualTo(content(3));
        }
    }

    @Test
    void aNodeThatTheNewKeyHasNotReachedGoesOnAsLongAsTheDataKeyIsThere() throws Exception {
        try (PackTier behind = tier("tenant-a", OLD);
                PackTier operator = tier("tenant-a", NEW + "\n" + OLD)) {
            put(behind, content(1));
            keys(operator).rewrap(operator.storeId(), (done, all) -> {});
            byte[] wrapped = Files.readAllBytes(keyFiles().getFirst());

            put(behind, content(2));

            assertThat(keyFiles().getFirst()).hasBinaryContent(wrapped);
        }
        try (PackTier later = tier("tenant-a", NEW)) {
            assertThat(read(later, content(2))).isEqualTo(content(2));
        }
    }

    @Test
    void anotherKeyUnderTheNumberOfTheOneInUseIsNotSealedBeside() throws Exception {
        try (PackTier running = tier("tenant-a", OLD);
                NfsStore store = store()) {
            put(running, content(1));
            UUID storeId = running.storeId();
            byte[] before = Files.readAllBytes(keyFiles().getFirst());
            Files.delete(keyFiles().getFirst());
            new TenantKeys(new SharedKeyFolder(store), KeyRing.ofHex(OLD), "tenant-a").current(storeId, any -> false);
            byte[] other = Files.readAllBytes(keyFiles().getFirst());
            assertThat(other).isNotEqualTo(before);

            assertFails(
                    Reason.NO_KEY,
                    "data key 0 of tenant-a in " + store.location() + " is not the one that has encrypted",
                    () -> put(running, content(2)));

            assertThat(keyFiles().getFirst()).hasBinaryContent(other);
        }
    }

    /** A place that does not take, or does not keep, what it is given from now on. */
    private static final class Full implements KeyFolder {

        private final KeyFolder real;
        private boolean full;
        private boolean forgets;

        private Full(KeyFolder real) {
            this.real = real;
        }

        @Override
        public Optional<byte[]> find(ChunkDigest name) throws TierException {
            return real.find(name);
        }

        @Override
        public void putIfAbsent(ChunkDigest name, byte[] content) throws TierException {
            if (full) {
                throw new TierException(Reason.NO_SPACE, "the share is full");
            }
            if (!forgets) {
                real.putIfAbsent(name, content);
            }
        }

        @Override
        public void replace(ChunkDigest name, byte[] content) throws TierException {
            real.replace(name, content);
        }

        @Override
        public String location() {
            return real.location();
        }
    }

    @Test
    void aCopyIsRefusedWhereTheKeyCannotBePutBack() throws Exception {
        NfsStore store = store();
        Full folder = new Full(new SharedKeyFolder(store));
        try (PackTier running = new PackTier(
                PackSettings.of("nfs"),
                store,
                new FrameSettings(
                        Compression.OFF,
                        Optional.of(new TenantKeys(folder, KeyRing.ofHex(OLD), "tenant-a")),
                        ManifestSigner.none()))) {
            put(running, content(1));
            Path key = keyFiles().getFirst();
            Files.delete(key);
            String gone =
                    "data key 0 of tenant-a is not in " + store.location() + " any more, and cannot be put back: ";
            // when
            folder.full = true;
            assertFails(Reason.NO_SPACE, gone + "the share is full", () -> running.writer(UUID.randomUUID()));
            assertFails(Reason.NO_SPACE, gone, () -> put(running, content(2)));
            folder.full = false;
            folder.forgets = true;
            assertFails(
                    Reason.IO,
                    gone + "it does not keep what it is given (keys/" + key.getFileName() + ")",
                    () -> running.writer(UUID.randomUUID()));
            // then nothing was sealed, and with room all goes on
            assertThat(scopes()).containsExactly("tenant-a");
            folder.forgets = false;
            put(running, content(2));
            assertThat(key).exists();
        }
    }

    @Test
    void aLaterKeyThatVanishedIsNotMadeAnewByARotation() throws Exception {
        List<Path> before;
        try (PackTier first = tier("tenant-a", OLD)) {
            put(first, content(1));
            before = keyFiles();
            keys(first).rotate(first.storeId(), first.sealedBy(keys(first)));
            put(first, content(2));
        }
        List<Path> made = new ArrayList<>(keyFiles());
        made.removeAll(before);
        Files.delete(made.getFirst());

        try (PackTier later = tier("tenant-a", OLD)) {
            assertFails(
                    Reason.NO_KEY,
                    "data key 1 of tenant-a",
                    () -> keys(later).rotate(later.storeId(), later.sealedBy(keys(later))));
        }

        assertThat(keyFiles()).isEqualTo(before);
    }

    @Test
    void theFirstKeyIsNotMadeWhereThereIsALaterOne() throws Exception {
        List<Path> first;
        try (PackTier tier = tier("tenant-a", OLD)) {
            keys(tier).current(tier.storeId(), tier.sealedBy(keys(tier)));
            first = keyFiles();
            keys(tier).rotate(tier.storeId(), tier.sealedBy(keys(tier)));
        }
        Files.delete(first.getFirst());

        try (PackTier later = tier("tenant-a", OLD)) {
            assertFails(Reason.NO_KEY, "data key 0 of tenant-a", () -> put(later, content(1)));
        }

        assertThat(keyFiles()).hasSize(1).doesNotContainAnyElementsOf(first);
    }

    @Test
    void whoIsFirstMayHaveEncryptedBeforeTheOtherLooks() throws Exception {
        try (PackTier one = tier("tenant-a", OLD);
                PackTier other = tier("tenant-a", OLD)) {
            // when the other looks for what is encrypted only after the first one's pack is there
            TenantKeys.Sealed late = numbers -> {
                put(one, content(1));
                return other.sealedBy(keys(other)).anyBy(numbers);
            };
            keys(other).current(other.storeId(), late);
            // then they have one key
            put(other, content(2));
            one.refresh();
            assertThat(read(one, content(2))).isEqualTo(content(2));
            assertThat(keyFiles()).hasSize(1);
        }
    }

    @Test
    void twoOperatorsAtOnceMakeOneKey() throws Exception {
        try (PackTier one = tier("tenant-a", OLD);
                PackTier other = tier("tenant-a", OLD)) {
            put(one, content(1));
            keys(other).current(other.storeId(), other.sealedBy(keys(other)));
            keys(one).rotate(one.storeId(), one.sealedBy(keys(one)));
            put(other, content(2));
            assertThat(keys(other).list()).hasSize(2);
            one.refresh();
            assertThat(read(one, content(2))).isEqualTo(content(2));
        }
    }

    @Test
    void aChunkThatAnotherTenantHasEncryptedIsBroughtAgainAndOneThatNobodyHasIsShared() throws Exception {
        // given a base layer that was put there unencrypted, and the same chunk of two tenants
        byte[] base = content(1);
        byte[] own = content(2);
        try (PackTier nobody = plain();
                PackTier first = tier("tenant-a", OLD);
                PackTier second = tier("tenant-ab", OLD)) {
            put(nobody, base);
            ChunkRef chunk = put(first, own);
            // when
            second.refresh();
            assertThat(second.put(
                            new ChunkDigest(new TreeDigester()
                                    .digest(MemorySegment.ofArray(base))
                                    .digest()),
                            MemorySegment.ofArray(base)))
                    .isFalse();
            assertThat(second.contains(new ChunkDigest(chunk.digest()), chunk.sizeBytes()))
                    .isFalse();
            put(second, own);
            // then each reads its own
            assertThat(read(second, base)).isEqualTo(base);
            assertThat(read(second, own)).isEqualTo(own);
            assertThat(read(first, own)).isEqualTo(own);
            assertThat(scopes()).containsExactlyInAnyOrder("", "tenant-a", "tenant-ab");
        }
        try (var keys = Files.list(root.resolve("keys"))) {
            assertThat(keys).hasSize(2);
        }
    }

    private static void assertFails(
            Reason reason, String text, org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
        assertThatExceptionOfType(TierException.class)
                .isThrownBy(call)
                .withMessageContaining(text)
                .satisfies(e -> assertThat(e.reason()).isEqualTo(reason));
    }
}
