package io.gpusnap.node.tier.pack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.TreeDigester;
import io.gpusnap.node.tier.ChunkTier;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.nfs.FaultyFiles;
import io.gpusnap.node.tier.nfs.NfsSettings;
import io.gpusnap.node.tier.nfs.NfsStore;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NfsTierTest extends PackTierContract {

    @TempDir
    Path root;

    @Override
    protected ChunkTier open() throws Exception {
        return on(new NfsStore(NfsSettings.of(root, Duration.ofSeconds(20))));
    }

    private static PackTier on(NfsStore store) {
        return new PackTier(PackSettings.of("nfs"), store, FrameSettings.none());
    }

    @Override
    protected ChunkTier open(Middle middle) throws Exception {
        FaultyFiles files = new FaultyFiles();
        PackTier tier = on(files.store(root));
        tier.storeId();
        files.middle(middle::reached);
        return tier;
    }

    @Override
    protected void assertHoldsNothing() throws Exception {
        try (Stream<Path> files = Files.walk(root)) {
            assertThat(files.filter(Files::isRegularFile)).containsExactly(root.resolve("gpusnap-store.json"));
        }
    }

    /** The fault comes at each object of a sync in turn: the pack, its index. */
    @ParameterizedTest
    @CsvSource({
        "writeNew, Input/output error",
        "writeNew, Stale file handle",
        "link, Input/output error",
        "link, Stale file handle",
        "syncFolder, Input/output error"
    })
    void aChunkCountsOnlyOnceTheShareHasSaidYesToAllOfIt(String call, String answer) throws Exception {
        for (boolean done : new boolean[] {false, true}) {
            for (int before = 0; before < 2; before++) {
                byte[] content = (call + answer + done + before).getBytes(StandardCharsets.US_ASCII);
                ChunkRef chunk = new TreeDigester().digest(MemorySegment.ofArray(content));
                ChunkDigest digest = new ChunkDigest(chunk.digest());
                FaultyFiles files = new FaultyFiles();
                try (PackTier tier = on(files.store(root))) {
                    tier.storeId();
                    tier.put(digest, MemorySegment.ofArray(content));
                    files.failing(call, new IOException(answer), done, before);
                    // when
                    assertThatExceptionOfType(TierException.class)
                            .isThrownBy(tier::sync)
                            .satisfies(e -> assertThat(e.reason()).isEqualTo(TierException.Reason.UNAVAILABLE));
                    // then the tier is unhealthy, and others find the chunk whole or not at all
                    assertThat(tier.trouble()).isPresent();
                    boolean named = call.equals("syncFolder") || call.equals("link") && done;
                    assertThat(isWholeOrNotThere(chunk, content))
                            .as("done %s, %d before", done, before)
                            .isEqualTo(before == 1 && named);
                    // when it answers again
                    Awaitility.await()
                            .ignoreExceptionsInstanceOf(TierException.class)
                            .until(() -> {
                                tier.sync();
                                return true;
                            });
                    // then
                    assertThat(tier.trouble()).isEmpty();
                    assertThat(isWholeOrNotThere(chunk, content)).isTrue();
                }
            }
        }
    }

    /** @return whether it is there */
    private boolean isWholeOrNotThere(ChunkRef chunk, byte[] content) throws Exception {
        try (ChunkTier other = open()) {
            ChunkDigest digest = new ChunkDigest(chunk.digest());
            if (!other.list().contains(digest)) {
                return false;
            }
            MemorySegment buffer = Arena.ofAuto().allocate(4096, 4096);
            other.read(digest, chunk.sizeBytes(), buffer);
            assertThat(buffer.asSlice(0, content.length).toArray(ValueLayout.JAVA_BYTE))
                    .isEqualTo(content);
            return true;
        }
    }
}
