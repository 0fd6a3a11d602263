package io.gpusnap.node.tier;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.TreeDigester;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class QuarantineTest {

    private static final int BYTES = 1000;
    private static final Duration WEEK = Duration.ofDays(7);

    @TempDir
    Path folder;

    private NvmeTier nvme;

    @BeforeEach
    void open() throws Exception {
        nvme = new NvmeTier(StoreRoot.open(folder), 0);
    }

    @AfterEach
    void close() {
        nvme.close();
    }

    @Test
    void whatIsPutThereIsKeptForAsLongAsTheLimitSaysHoweverOldTheChunkIs() throws Exception {
        // given a chunk that was written long ago and found damaged today
        ChunkDigest old = put(1);
        Files.setLastModifiedTime(
                folder.resolve("chunks").resolve(old.hex().substring(0, 2)).resolve(old.hex()),
                FileTime.from(Instant.now().minus(Duration.ofDays(300))));
        nvme.quarantine(old);
        Instant found = since(old);
        Quarantine.Limits limits = new Quarantine.Limits(WEEK, Long.MAX_VALUE);
        // when, then
        assertThat(look(limits, found.plus(WEEK))).isZero();
        assertThat(kept()).containsExactly(old.hex());
        assertThat(nvme.inQuarantine().counts()).isEqualTo(new Quarantine.Counts(BYTES, 0, 0));
        assertThat(look(limits, found.plus(WEEK).plusSeconds(1))).isEqualTo(BYTES);
        assertThat(kept()).isEmpty();
        assertThat(nvme.inQuarantine().counts()).isEqualTo(new Quarantine.Counts(0, BYTES, 0));
    }

    @Test
    void theOldestGoUntilTheRestFits() throws Exception {
        List<ChunkDigest> found = List.of(quarantined(3), quarantined(1), quarantined(4), quarantined(2));
        // when
        assertThat(look(new Quarantine.Limits(WEEK, 2 * BYTES + 1), Instant.now()))
                .isEqualTo(2 * BYTES);
        // then
        assertThat(kept())
                .containsExactlyInAnyOrder(found.get(2).hex(), found.get(3).hex());
        assertThat(look(new Quarantine.Limits(WEEK, 0), Instant.now())).isEqualTo(2 * BYTES);
        assertThat(nvme.inQuarantine().counts()).isEqualTo(new Quarantine.Counts(0, 4 * BYTES, 0));
    }

    @Test
    void aLookThatIsToEndDeletesNothingMore() throws Exception {
        ChunkDigest found = quarantined(1);
        assertThat(nvme.inQuarantine().look(new Quarantine.Limits(WEEK, 0), Instant.now(), () -> false))
                .isZero();
        assertThat(kept()).containsExactly(found.hex());
        assertThat(nvme.inQuarantine().counts()).isEqualTo(new Quarantine.Counts(BYTES, 0, 0));
    }

    @Test
    void whatIsNoFileIsLeftAlone() throws Exception {
        Path strange = Files.createDirectory(folder.resolve("quarantine/notes"));
        assertThat(look(new Quarantine.Limits(Duration.ZERO, 0), Instant.now().plus(WEEK)))
                .isZero();
        assertThat(strange).exists();
    }

    @Test
    void aLookThatDoesNotComeToItsEndIsCountedAndTheNextOneGoesOn() throws Exception {
        Path there = folder.resolve("quarantine");
        Path away = Files.move(there, folder.resolve("away"));

        assertThatThrownBy(() -> look(new Quarantine.Limits(WEEK, 0), Instant.now()))
                .isInstanceOf(TierException.class);

        assertThat(nvme.inQuarantine().counts()).isEqualTo(new Quarantine.Counts(0, 0, 1));
        Files.move(away, there);
        quarantined(1);
        assertThat(look(new Quarantine.Limits(WEEK, 0), Instant.now())).isEqualTo(BYTES);
        assertThat(nvme.inQuarantine().counts()).isEqualTo(new Quarantine.Counts(0, BYTES, 1));
    }

    @Test
    void aLimitIsNotNegative() {
        assertThatThrownBy(() -> new Quarantine.Limits(Duration.ofDays(-1), 0))
                .hasMessageContaining("nvme.quarantineDays");
        assertThatThrownBy(() -> new Quarantine.Limits(WEEK, -1)).hasMessageContaining("nvme.quarantineBytes");
    }

    private long look(Quarantine.Limits limits, Instant now) throws TierException {
        return nvme.inQuarantine().look(limits, now, () -> true);
    }

    private ChunkDigest put(int seed) throws TierException {
        byte[] content = new byte[BYTES];
        content[0] = (byte) seed;
        MemorySegment segment = MemorySegment.ofArray(content);
        ChunkDigest digest = new ChunkDigest(new TreeDigester().digest(segment).digest());
        nvme.put(digest, segment);
        return digest;
    }

    /** Of an age that differs from that of those before. */
    private ChunkDigest quarantined(int seed) throws Exception {
        ChunkDigest digest = put(seed);
        nvme.quarantine(digest);
        Path probe = folder.resolve("probe");
        Awaitility.await("the file system's clock goes on").until(() -> {
            Files.deleteIfExists(probe);
            Files.createFile(probe);
            return changed(probe).isAfter(since(digest));
        });
        return digest;
    }

    private Instant since(ChunkDigest digest) throws IOException {
        return changed(folder.resolve("quarantine").resolve(digest.hex()));
    }

    private static Instant changed(Path file) throws IOException {
        return ((FileTime) Files.getAttribute(file, "unix:ctime")).toInstant();
    }

    private List<String> kept() throws IOException {
        try (Stream<Path> files = Files.list(folder.resolve("quarantine"))) {
            return files.map(file -> file.getFileName().toString()).toList();
        }
    }
}
