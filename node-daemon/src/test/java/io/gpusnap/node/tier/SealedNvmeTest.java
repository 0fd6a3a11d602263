package io.gpusnap.node.tier;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.ManifestDigest;
import io.gpusnap.node.store.ManifestJson;
import io.gpusnap.node.store.Manifests;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.store.TreeDigester;
import io.gpusnap.node.tier.TierException.Reason;
import io.gpusnap.node.tier.key.KeyProvider;
import io.gpusnap.node.tier.key.KeyRing;
import io.gpusnap.node.tier.pack.Compression;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A node's own store whose chunks are encrypted is a tier like any other. */
class SealedNvmeTest extends NvmeFormContract {

    private static final String OLD = "0123456789abcdef".repeat(4);
    private static final String NEW = "f".repeat(64);
    private static final int SIZE_BYTES = 300_000;

    @Override
    NvmeTier tier(StoreRoot root) {
        return tier(root, OLD, true);
    }

    private static NvmeTier tier(Path root, String keys, boolean encrypts) throws Exception {
        return tier(StoreRoot.open(root), keys, encrypts);
    }

    private static NvmeTier tier(StoreRoot root, String keys, boolean encrypts) {
        Optional<KeyProvider> provider = keys.isEmpty() ? Optional.empty() : Optional.of(KeyRing.ofHex(keys));
        return new NvmeTier(root, 0, provider, "tenant-a", encrypts, Compression.OFF);
    }

    private static byte[] read(NvmeTier tier, byte[] content) throws TierException {
        return read(tier, content, 0);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void whatIsOnTheDiskIsNotReadableAndWhatIsReadIsTheChunk(int offset, @TempDir Path root) throws Exception {
        byte[] content = random(SIZE_BYTES, 1);
        try (NvmeTier tier = tier(root, OLD, true)) {
            assertThat(tier.put(digestOf(content), MemorySegment.ofArray(content)))
                    .isTrue();
            assertThat(tier.put(digestOf(content), MemorySegment.ofArray(content)))
                    .isFalse();
            assertThat(read(tier, content, offset)).isEqualTo(content);
            // then direct reads into device memory are not offered what they could not decrypt
            assertReason(Reason.UNAVAILABLE, () -> tier.file(digestOf(content), SIZE_BYTES));
            assertThat(tier.usage().usedBytes()).isEqualTo(SIZE_BYTES + ChunkSealing.OVERHEAD_BYTES);
        }
        String onDisk = Files.readString(file(root, digestOf(content)), StandardCharsets.ISO_8859_1);
        assertThat(onDisk).doesNotContain(new String(content, 1000, 32, StandardCharsets.ISO_8859_1));
    }

    @Test
    void aStoreThatWasPlainBeforeIsReadAndItsChunksAreNotWrittenTwice(@TempDir Path root) throws Exception {
        byte[] old = random(SIZE_BYTES, 1);
        byte[] fresh = random(SIZE_BYTES, 2);
        try (NvmeTier plain = new NvmeTier(StoreRoot.open(root), 0)) {
            plain.put(digestOf(old), MemorySegment.ofArray(old));
        }
        try (NvmeTier sealing = tier(root, OLD, true)) {
            assertThat(sealing.put(digestOf(old), MemorySegment.ofArray(old))).isFalse();
            sealing.put(digestOf(fresh), MemorySegment.ofArray(fresh));
            assertThat(read(sealing, old)).isEqualTo(old);
            assertThat(sealing.file(digestOf(old), SIZE_BYTES)).hasBinaryContent(old);
        }
        // when it is switched off again
        try (NvmeTier off = tier(root, OLD, false)) {
            assertThat(read(off, fresh)).isEqualTo(fresh);
            assertThat(off.contains(digestOf(fresh), SIZE_BYTES)).isTrue();
            assertThat(off.keys()).isPresent();
        }
        // when the key is lacking, no chunk is called wrong for that
        try (NvmeTier none = new NvmeTier(StoreRoot.open(root), 0)) {
            assertReason(Reason.NO_KEY, () -> read(none, fresh));
            assertThat(none.contains(digestOf(fresh), SIZE_BYTES)).isFalse();
            assertThat(none.keys()).isEmpty();
        }
        try (NvmeTier other = tier(root, NEW, true)) {
            assertReason(Reason.NO_KEY, () -> read(other, fresh));
        }
    }

    @Test
    void aBitThatFlippedAnywhereInTheFileIsCorrupt(@TempDir Path root) throws Exception {
        byte[] content = random(SIZE_BYTES, 1);
        try (NvmeTier tier = tier(root, OLD, true)) {
            tier.put(digestOf(content), MemorySegment.ofArray(content));
            Path file = file(root, digestOf(content));
            byte[] whole = Files.readAllBytes(file);
            for (int at : new int[] {0, 5000, whole.length - 20, whole.length - 4, whole.length - 1}) {
                byte[] flipped = whole.clone();
                flipped[at] ^= 1;
                Files.write(file, flipped);
                assertReason(Reason.CORRUPT, () -> read(tier, content));
            }
            // when the keys themselves are gone it is not the chunk's fault
            Files.write(file, whole);
        }
        try (var keys = Files.list(root.resolve("keys"))) {
            for (Path key : keys.toList()) {
                Files.delete(key);
            }
        }
        try (NvmeTier tier = tier(root, OLD, true)) {
            assertReason(Reason.IO, () -> read(tier, content));
        }
    }

    private static Path name(Path root, byte[] content) throws Exception {
        SnapshotId snapshot = SnapshotId.random();
        ChunkRef chunk = new TreeDigester().digest(MemorySegment.ofArray(content));
        return Files.write(
                root.resolve("manifests/" + snapshot + ".json"),
                ManifestJson.write(Manifests.of(snapshot, List.of(chunk))));
    }

    @Test
    void whatAManifestThatChangedNamedIsNotTakenForUnencrypted(@TempDir Path root) throws Exception {
        byte[] content = random(SIZE_BYTES, 1);
        try (NvmeTier tier = tier(root, OLD, true)) {
            tier.put(digestOf(content), MemorySegment.ofArray(content));
            Path manifest = name(root, content);
            byte[] text = Files.readAllBytes(manifest);
            ManifestSeal.put(manifest, ManifestDigest.of(text).hex());
            assertThat(tier.isSealedBy(number -> true)).isTrue();
            // when it names another chunk
            int at = new String(text, StandardCharsets.UTF_8)
                    .indexOf(digestOf(content).toString());
            text[at] ^= text[at] == 'a' ? 2 : 1; // another hexadecimal digit
            Files.write(manifest, text);
            // then
            assertReason(Reason.IO, () -> tier.isSealedBy(number -> true));
        }
    }

    @Test
    void aDataKeyThatVanishedIsNotMadeAnewForWhatASnapshotNeeds(@TempDir Path root) throws Exception {
        // given a snapshot that was not encrypted, and then one that is
        byte[] plain = random(SIZE_BYTES, 1);
        byte[] sealed = random(SIZE_BYTES, 2);
        byte[] next = random(SIZE_BYTES, 3);
        try (NvmeTier tier = tier(root, OLD, false)) {
            tier.put(digestOf(plain), MemorySegment.ofArray(plain));
            name(root, plain);
        }
        try (NvmeTier tier = tier(root, OLD, true)) {
            tier.put(digestOf(sealed), MemorySegment.ofArray(sealed));
            name(root, sealed);
        }
        Path key;
        try (var keys = Files.list(root.resolve("keys"))) {
            key = keys.toList().getFirst();
        }
        byte[] wrapped = Files.readAllBytes(key);
        Files.delete(key);
        // when
        try (NvmeTier tier = tier(root, OLD, true)) {
            assertReason(Reason.NO_KEY, () -> tier.put(digestOf(next), MemorySegment.ofArray(next)));
            assertReason(Reason.NO_KEY, () -> tier.keys().orElseThrow().rotate(tier.storeId(), tier::isSealedBy));
        }
        // then
        assertThat(root.resolve("keys")).isEmptyDirectory();
        Files.write(key, wrapped);
        try (NvmeTier tier = tier(root, OLD, true)) {
            tier.put(digestOf(next), MemorySegment.ofArray(next));
            assertThat(read(tier, sealed)).isEqualTo(sealed);
            assertThat(read(tier, next)).isEqualTo(next);
        }
    }

    @Test
    void aDataKeyThatVanishesUnderARunningDaemonIsBackBeforeTheNextSave(@TempDir Path root) throws Exception {
        byte[] before = random(SIZE_BYTES, 1);
        byte[] after = random(SIZE_BYTES, 2);
        Path key;
        try (NvmeTier tier = tier(root, OLD, true)) {
            tier.put(digestOf(before), MemorySegment.ofArray(before));
            try (var keys = Files.list(root.resolve("keys"))) {
                key = keys.toList().getFirst();
            }
            byte[] wrapped = Files.readAllBytes(key);
            Files.delete(key);
            // when
            tier.requireKey();
            tier.put(digestOf(after), MemorySegment.ofArray(after));
            // then
            assertThat(key).hasBinaryContent(wrapped);
        }
        try (NvmeTier tier = tier(root, OLD, true)) {
            assertThat(read(tier, before)).isEqualTo(before);
            assertThat(read(tier, after)).isEqualTo(after);
        }
    }

    @Test
    void aStoreThatIsNotEncryptedNeedsNoKey(@TempDir Path root) throws Exception {
        try (NvmeTier tier = tier(root, OLD, false)) {
            tier.requireKey();
            assertThat(root.resolve("keys")).isEmptyDirectory();
        }
    }

    @Test
    void aNewDataKeyEncryptsWhatComesAndTheOldOneReadsWhatIsThere(@TempDir Path root) throws Exception {
        byte[] before = random(SIZE_BYTES, 1);
        byte[] after = random(SIZE_BYTES, 2);
        try (NvmeTier tier = tier(root, OLD, true)) {
            tier.put(digestOf(before), MemorySegment.ofArray(before));
            assertThat(tier.keys().orElseThrow().rotate(tier.storeId(), tier::isSealedBy))
                    .isEqualTo(1);
        }
        try (NvmeTier tier = tier(root, OLD, true)) {
            tier.put(digestOf(after), MemorySegment.ofArray(after));
            assertThat(read(tier, before)).isEqualTo(before);
            assertThat(read(tier, after)).isEqualTo(after);
            assertThat(tier.keyOf(digestOf(before), SIZE_BYTES)).hasValue(0);
            assertThat(tier.keyOf(digestOf(after), SIZE_BYTES)).hasValue(1);
            assertThat(tier.keyOf(digestOf(random(SIZE_BYTES, 3)), SIZE_BYTES)).isEmpty();
        }
        byte[] old = Files.readAllBytes(file(root, digestOf(before)));
        byte[] fresh = Files.readAllBytes(file(root, digestOf(after)));
        assertThat(old[old.length - 4]).isZero();
        assertThat(fresh[fresh.length - 4]).isEqualTo((byte) 1);
        // when the key that wraps is changed for another
        try (NvmeTier tier = tier(root, NEW + "\n" + OLD, true)) {
            assertThat(tier.keys().orElseThrow().rewrap(tier.storeId(), (done, all) -> {}))
                    .isEqualTo(2);
        }
        try (NvmeTier tier = tier(root, NEW, true)) {
            assertThat(read(tier, before)).isEqualTo(before);
            assertThat(read(tier, after)).isEqualTo(after);
        }
    }
}
