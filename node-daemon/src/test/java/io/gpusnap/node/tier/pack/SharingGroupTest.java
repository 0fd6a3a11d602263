package io.gpusnap.node.tier.pack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.TreeDigester;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import io.gpusnap.node.tier.key.KeyRing;
import io.gpusnap.node.tier.key.ManifestSigner;
import io.gpusnap.node.tier.key.SharedKeyFolder;
import io.gpusnap.node.tier.nfs.NfsSettings;
import io.gpusnap.node.tier.nfs.NfsStore;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tenants that may share have the base layers of all of them once; nobody else shares with them. */
class SharingGroupTest {

    private static final String KEY = "0123456789abcdef".repeat(4);

    @TempDir
    Path root;

    private final List<PackTier> open = new ArrayList<>();
    private final byte[] weights = new byte[1 << 20];
    private ChunkRef chunk;

    @BeforeEach
    void givenWeights() {
        new Random(1).nextBytes(weights);
        chunk = new TreeDigester().digest(MemorySegment.ofArray(weights));
    }

    @AfterEach
    void close() {
        open.forEach(PackTier::close);
    }

    private PackTier node(String tenant, Optional<String> group) {
        NfsStore store = new NfsStore(NfsSettings.of(root, Duration.ofSeconds(20)));
        PackTier tier = new PackTier(
                PackSettings.of("nfs"),
                store,
                FrameSettings.sealed(
                        Compression.OFF,
                        new SharedKeyFolder(store),
                        KeyRing.ofHex(KEY),
                        tenant,
                        group,
                        ManifestSigner.none()));
        open.add(tier);
        return tier;
    }

    /** Whether the store took it, or had it so that the tenant may share it. */
    private boolean push(PackTier tier) throws TierException {
        boolean fresh = tier.put(new ChunkDigest(chunk.digest()), MemorySegment.ofArray(weights));
        tier.sync();
        return fresh;
    }

    private byte[] read(PackTier tier) throws TierException {
        MemorySegment buffer = Arena.ofAuto().allocate(4 << 20, 4096);
        tier.read(new ChunkDigest(chunk.digest()), chunk.sizeBytes(), buffer);
        return buffer.asSlice(0, chunk.sizeBytes()).toArray(ValueLayout.JAVA_BYTE);
    }

    private void assertHasNoKey(PackTier tier) {
        assertThatExceptionOfType(TierException.class)
                .isThrownBy(() -> read(tier))
                .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.NO_KEY));
    }

    @Test
    void tenantsOfOneGroupHaveWhatIsCommonOnce() throws Exception {
        PackTier first = node("tenant-a", Optional.of("lab"));
        PackTier second = node("tenant-b", Optional.of("lab"));
        assertThat(push(first)).isTrue();
        long stored = first.usage().usedBytes();
        // when
        assertThat(push(second)).isFalse();
        // then
        assertThat(read(second)).isEqualTo(weights);
        second.refresh();
        assertThat(second.usage().usedBytes()).isEqualTo(stored);
        assertThat(second.storedBytesByScope()).containsOnlyKeys("@lab");
    }

    @Test
    void whoIsInNoGroupOrInAnotherOneSharesNothingWithThem() throws Exception {
        push(node("tenant-a", Optional.of("lab")));
        for (PackTier stranger : List.of(
                node("tenant-b", Optional.empty()),
                node("tenant-a", Optional.empty()),
                node("tenant-b", Optional.of("works")),
                // a tenant who is called as the group is
                node("lab", Optional.empty()))) {
            assertHasNoKey(stranger);
            assertThat(stranger.contains(new ChunkDigest(chunk.digest()), chunk.sizeBytes()))
                    .isFalse();
        }
        // when each brings it, each has one of its own
        assertThat(push(node("tenant-b", Optional.empty()))).isTrue();
        assertThat(push(node("tenant-c", Optional.of("works")))).isTrue();
        PackTier last = node("lab", Optional.empty());
        assertThat(push(last)).isTrue();
        assertThat(last.storedBytesByScope()).containsOnlyKeys("@lab", "@works", "tenant-b", "lab");
    }

    @Test
    void whoJoinsAGroupReadsWhatItHadAndSharesWhatItBringsFromThenOn() throws Exception {
        // given chunks of before
        push(node("tenant-a", Optional.empty()));
        PackTier joined = node("tenant-a", Optional.of("lab"));
        // then they are read, and not shared
        assertThat(read(joined)).isEqualTo(weights);
        assertHasNoKey(node("tenant-b", Optional.of("lab")));
        // when a copy is made anew it brings them for the group
        PackWriter writer = joined.writer(UUID.randomUUID());
        assertThat(writer.plan(List.of(chunk))).isNotEmpty();
    }
}
