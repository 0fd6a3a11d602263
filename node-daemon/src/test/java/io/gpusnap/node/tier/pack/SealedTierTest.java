package io.gpusnap.node.tier.pack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.github.luben.zstd.Zstd;
import io.gpusnap.gpu.Buffers;
import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.store.TreeDigester;
import io.gpusnap.node.tier.ChunkTier;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import io.gpusnap.node.tier.blob.BlobKey;
import io.gpusnap.node.tier.blob.BlobStore.IfThere;
import io.gpusnap.node.tier.key.ManifestSigner;
import io.gpusnap.node.tier.key.MasterKey;
import io.gpusnap.node.tier.key.SharedKeyFolder;
import io.gpusnap.node.tier.key.TenantKeys;
import io.gpusnap.node.tier.nfs.FaultyFiles;
import io.gpusnap.node.tier.nfs.NfsSettings;
import io.gpusnap.node.tier.nfs.NfsStore;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A shared store whose chunks are compressed and encrypted is a tier like any other. */
class SealedTierTest extends PackTierContract {

    private static final String KEY = "0123456789abcdef".repeat(4);

    @TempDir
    Path root;

    @Override
    protected ChunkTier open() {
        return open("tenant-a", KEY, ManifestSigner.none());
    }

    @Override
    protected byte[] content(int size, long seed) {
        return CompressionTest.weights(size, seed);
    }

    @Override
    protected long leastBytes(int size) {
        return size / 2;
    }

    @Override
    protected ChunkTier open(Middle middle) throws Exception {
        FaultyFiles files = new FaultyFiles();
        PackTier tier = open(files.store(root), "tenant-a", KEY, ManifestSigner.none());
        tier.storeId();
        files.middle(middle::reached);
        return tier;
    }

    @Override
    protected void assertHoldsNothing() throws Exception {
        try (var files = Files.walk(root)) {
            assertThat(files.filter(Files::isRegularFile).filter(file -> !file.startsWith(root.resolve("keys"))))
                    .containsExactly(root.resolve("gpusnap-store.json"));
        }
    }

    private PackTier open(String tenant, String key, ManifestSigner signer) {
        return open(new NfsStore(NfsSettings.of(root, Duration.ofSeconds(20))), tenant, key, signer);
    }

    private static PackTier open(NfsStore store, String tenant, String key, ManifestSigner signer) {
        return new PackTier(
                PackSettings.of("nfs"),
                store,
                new FrameSettings(
                        Compression.PLANES,
                        Optional.of(new TenantKeys(new SharedKeyFolder(store), MasterKey.ofHex(key), tenant)),
                        signer));
    }

    private PackTier plain() {
        return new PackTier(
                PackSettings.of("nfs"),
                new NfsStore(NfsSettings.of(root, Duration.ofSeconds(20))),
                FrameSettings.none());
    }

    static byte[] text(int size) {
        return "the quick brown fox jumps over it "
                .repeat(size / 34 + 1)
                .substring(0, size)
                .getBytes(StandardCharsets.US_ASCII);
    }

    private static ChunkDigest digest(byte[] content) {
        return new ChunkDigest(
                new TreeDigester().digest(MemorySegment.ofArray(content)).digest());
    }

    private static byte[] read(PackTier tier, byte[] content) throws TierException {
        MemorySegment buffer = Arena.ofAuto().allocate(4 << 20, 4096);
        tier.read(digest(content), content.length, buffer);
        return buffer.asSlice(0, content.length).toArray(java.lang.foreign.ValueLayout.JAVA_BYTE);
    }

    @Test
    void whatIsWrittenIsNeitherReadableNorLongerThanItNeedsToBe() throws Exception {
        // given text, which shrinks, and random bytes, which do not
        byte[] text = text(1 << 20);
        byte[] noise = new byte[1 << 20];
        new Random(1).nextBytes(noise);
        try (PackTier tier = open("tenant-a", KEY, ManifestSigner.none())) {
            tier.put(digest(text), MemorySegment.ofArray(text));
            tier.put(digest(noise), MemorySegment.ofArray(noise));
            tier.sync();
            // then
            assertThat(tier.usage().usedBytes()).isBetween(1L << 20, (1L << 20) + 20_000);
            assertThat(read(tier, text)).isEqualTo(text);
            assertThat(read(tier, noise)).isEqualTo(noise);
        }
        try (var files = Files.walk(root)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                String bytes = new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
                assertThat(bytes)
                        .doesNotContain("quick brown")
                        .doesNotContain(new String(Arrays.copyOf(noise, 64), StandardCharsets.ISO_8859_1));
                assertThat(bytes).doesNotContain(KEY);
            }
        }
    }

    @Test
    void weightsTakeTwoThirdsAndComeBackByAnotherNode() throws Exception {
        byte[] weights = CompressionTest.weights(4 << 20, 1);
        try (PackTier tier = open("tenant-a", KEY, ManifestSigner.none())) {
            tier.put(digest(weights), MemorySegment.ofArray(weights));
            tier.sync();
            assertThat(tier.usage().usedBytes()).isLessThan(7 * (4L << 20) / 10);
        }
        ChunkRef chunk = new TreeDigester().digest(MemorySegment.ofArray(weights));
        try (PackTier tier = open("tenant-a", KEY, ManifestSigner.none());
                Buffers buffers = new Buffers()) {
            tier.refresh();
            assertThat(read(tier, weights)).isEqualTo(weights);
            List<ChunkRef> brought = new ArrayList<>();
            assertThat(tier.runReader(buffers)
                            .read(tier.runs(List.of(chunk)).getFirst(), (found, bytes) -> brought.add(found)))
                    .isEmpty();
            assertThat(brought).containsExactly(chunk);
        }
    }

    @Test
    void anotherTenantAndANodeWithoutTheKeyReadNothing() throws Exception {
        byte[] content = text(5000);
        try (PackTier tier = open("tenant-a", KEY, ManifestSigner.none())) {
            tier.put(digest(content), MemorySegment.ofArray(content));
            tier.sync();
        }
        try (PackTier other = open("tenant-b", KEY, ManifestSigner.none());
                PackTier wrongKey = open("tenant-a", "f".repeat(64), ManifestSigner.none());
                PackTier none = plain()) {
            assertFails(
                    Reason.NO_KEY,
                    "encrypted for tenant-a, this node has the key of tenant-b",
                    () -> read(other, content));
            assertFails(Reason.NO_KEY, "was wrapped by key", () -> read(wrongKey, content));
            assertFails(Reason.NO_KEY, "encrypted", () -> read(none, content));
        }
    }

    @Test
    void aSealedChunkInAnothersPlaceDoesNotOpen() throws Exception {
        // given two chunks of one size beside each other in a pack
        byte[] first = new byte[8192];
        byte[] second = new byte[8192];
        new Random(1).nextBytes(first);
        new Random(2).nextBytes(second);
        try (PackTier tier = open("tenant-a", KEY, ManifestSigner.none())) {
            tier.put(digest(first), MemorySegment.ofArray(first));
            tier.put(digest(second), MemorySegment.ofArray(second));
            tier.sync();
            // when they change places
            BlobKey key = tier.store().list(BlobKey.Folder.PACKS, "").getFirst().key();
            byte[] pack = tier.store().readAll(key, 1 << 20);
            int half = pack.length / 2;
            byte[] swapped = new byte[pack.length];
            System.arraycopy(pack, half, swapped, 0, half);
            System.arraycopy(pack, 0, swapped, half, half);
            tier.store().put(key, MemorySegment.ofArray(swapped), IfThere.REPLACE);
            // then
            assertFails(Reason.CORRUPT, "does not open", () -> read(tier, first));
            assertFails(Reason.CORRUPT, "does not open", () -> read(tier, second));
        }
    }

    @Test
    void aFrameThatExpandsToMoreThanItsChunkIsRefusedAndWritesNotAByteMore() {
        byte[] bomb = Zstd.compress(new byte[64 << 20]);
        byte[] target = new byte[4096];
        SealingFrames frames = new SealingFrames(
                new FrameSettings(Compression.ZSTD, Optional.empty(), ManifestSigner.none()),
                UUID::randomUUID,
                keys -> {
                    throw new AssertionError("nothing is encrypted here");
                });
        assertFails(
                Reason.CORRUPT,
                "expand",
                () -> frames.read(
                        digest(text(10)), Frames.ZSTD, "", MemorySegment.ofArray(bomb), MemorySegment.ofArray(target)));
        assertThat(target).containsOnly(0);
    }

    @Test
    void aFrameOfANewerVersionIsNotCalledDamaged() throws Exception {
        byte[] content = text(5000);
        ChunkRef chunk = new TreeDigester().digest(MemorySegment.ofArray(content));
        List<PackEntry> entries =
                List.of(new PackEntry(chunk.content().orElseThrow(), chunk.sizeBytes(), 0, content.length, 8));
        byte[] index = new PackTable(
                        UUID.randomUUID(), List.of(new PackTable.Pack(PackTable.SELF, content.length, "", entries)))
                .encode();
        try (PackTier tier = open("tenant-a", KEY, ManifestSigner.none());
                Buffers buffers = new Buffers()) {
            tier.storeId();
            tier.store().put(BlobKey.pack(PackTable.idOf(index)), MemorySegment.ofArray(content), IfThere.KEEP);
            tier.store().put(BlobKey.index(PackTable.idOf(index)), MemorySegment.ofArray(index), IfThere.KEEP);
            tier.refresh();
            // when, then: as a pull, a thaw and a scrub read it
            List<PackRun> runs = tier.runs(List.of(chunk));
            assertThat(runs).hasSize(1);
            assertFails(
                    Reason.UNAVAILABLE,
                    "a way that this version does not know (8)",
                    () -> tier.runReader(buffers).read(runs.getFirst(), (found, bytes) -> {}));
            assertFails(Reason.UNAVAILABLE, "does not know", () -> read(tier, content));
            assertThat(tier.store().list(BlobKey.Folder.QUARANTINE, "")).isEmpty();
        }
    }

    @Test
    void aPackOfBombsGivesNothingToWhoeverReadsIt() throws Exception {
        // given a pack whose index is right in all but that its frames expand to more than their chunks
        byte[] bomb = Zstd.compress(new byte[32 << 20]);
        List<ChunkRef> chunks = List.of(
                new TreeDigester().digest(MemorySegment.ofArray(text(5000))),
                new TreeDigester().digest(MemorySegment.ofArray(text(6000))));
        byte[] pack = new byte[2 * bomb.length];
        List<PackEntry> entries = new ArrayList<>();
        for (ChunkRef chunk : chunks) {
            int offset = entries.size() * bomb.length;
            System.arraycopy(bomb, 0, pack, offset, bomb.length);
            entries.add(
                    new PackEntry(chunk.content().orElseThrow(), chunk.sizeBytes(), offset, bomb.length, Frames.ZSTD));
        }
        byte[] index = new PackTable(
                        UUID.randomUUID(), List.of(new PackTable.Pack(PackTable.SELF, pack.length, "", entries)))
                .encode();
        try (PackTier tier = open("tenant-a", KEY, ManifestSigner.none());
                Buffers buffers = new Buffers()) {
            tier.storeId();
            tier.store().put(BlobKey.pack(PackTable.idOf(index)), MemorySegment.ofArray(pack), IfThere.KEEP);
            tier.store().put(BlobKey.index(PackTable.idOf(index)), MemorySegment.ofArray(index), IfThere.KEEP);
            tier.refresh();
            // when, then: as a pull, a thaw and a scrub read it
            List<PackRun> runs = tier.runs(chunks);
            assertThat(runs).hasSize(1);
            assertThat(tier.runReader(buffers).read(runs.getFirst(), (chunk, content) -> {
                        throw new AssertionError("nothing comes of a bomb");
                    }))
                    .containsExactlyElementsOf(chunks);
            assertFails(Reason.CORRUPT, "expand", () -> read(tier, text(5000)));
        }
    }

    @Test
    void aManifestMustBeSignedByATrustedKeyForThisTenantAndSnapshot() throws Exception {
        // given a node that signs, and one that trusts it
        KeyPair pair = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
        KeyPair other = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
        SnapshotId snapshot = SnapshotId.random();
        byte[] manifest = text(300);
        byte[] content = text(5000);
        List<ChunkRef> chunks = List.of(new TreeDigester().digest(MemorySegment.ofArray(content)));
        try (PackTier signing = open("tenant-a", KEY, signer("tenant-a", Optional.of(pair), Optional.empty()));
                PackTier trusting = open("tenant-a", KEY, signer("tenant-a", Optional.empty(), Optional.of(pair)));
                PackTier strange = open("tenant-a", KEY, signer("tenant-a", Optional.empty(), Optional.of(other)));
                PackTier tenant = open("tenant-b", KEY, signer("tenant-b", Optional.empty(), Optional.of(pair)));
                PackTier unsigned = open("tenant-a", KEY, ManifestSigner.none())) {
            signing.put(digest(content), MemorySegment.ofArray(content));
            signing.sync();
            // when an unsigned copy is all there is
            unsigned.refresh();
            unsigned.publish(snapshot, UUID.randomUUID(), manifest, chunks);
            assertFails(Reason.UNTRUSTED, "not signed", () -> trusting.manifest(snapshot, found -> true));
            // when there is a signed one as well
            UUID copy = UUID.randomUUID();
            List<SharedObject> objects = signing.publish(snapshot, copy, manifest, chunks);
            // then
            assertThat(objects).anyMatch(object -> object.name().endsWith(".sig"));
            assertThat(trusting.manifest(snapshot, found -> true)).isEqualTo(manifest);
            assertFails(Reason.UNTRUSTED, "not signed", () -> strange.manifest(snapshot, found -> true));
            assertFails(Reason.UNTRUSTED, "not signed", () -> tenant.manifest(snapshot, found -> true));
            // when a bit of it flips, or it is given out as another snapshot's
            SnapshotId forged = SnapshotId.random();
            byte[] signature = signing.store().readAll(BlobKey.signature(snapshot, copy), 64);
            signing.store().put(BlobKey.signature(forged, copy), MemorySegment.ofArray(signature), IfThere.KEEP);
            signing.store().put(BlobKey.manifest(forged, copy), MemorySegment.ofArray(manifest), IfThere.KEEP);
            assertFails(Reason.UNTRUSTED, "not signed", () -> trusting.manifest(forged, found -> true));
            byte[] flipped = manifest.clone();
            flipped[0] ^= 1;
            signing.store().put(BlobKey.manifest(snapshot, copy), MemorySegment.ofArray(flipped), IfThere.REPLACE);
            assertFails(Reason.UNTRUSTED, "not signed", () -> trusting.manifest(snapshot, found -> true));
        }
    }

    private static ManifestSigner signer(String tenant, Optional<KeyPair> signing, Optional<KeyPair> trusted) {
        return ManifestSigner.of(
                tenant,
                signing.map(pair -> pem("PRIVATE", pair.getPrivate().getEncoded())),
                trusted.map(pair -> pem("PUBLIC", pair.getPublic().getEncoded())));
    }

    private static String pem(String kind, byte[] encoded) {
        return "-----BEGIN %s KEY-----\n%s\n-----END %s KEY-----\n"
                .formatted(kind, Base64.getMimeEncoder().encodeToString(encoded), kind);
    }

    static void assertFails(Reason reason, String text, ThrowingCallable call) {
        assertThatExceptionOfType(TierException.class)
                .isThrownBy(call)
                .withMessageContaining(text)
                .satisfies(e -> assertThat(e.reason()).isEqualTo(reason));
    }
}
