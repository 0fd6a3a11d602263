package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.OperationSpec;
import io.gpusnap.node.operation.StageListener;
import io.gpusnap.node.operation.StagePoint;
import io.gpusnap.node.snapshot.SnapshotStore;
import io.gpusnap.node.store.ManifestDigest;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.transfer.StoredSnapshot;
import io.gpusnap.node.transfer.Traffic;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The node's own disk does not give one manifest, of which a shared store has a good copy: work goes on, and is told of it. */
class DamagedManifestTest {

    private static final int CHUNKS = 3;

    @TempDir
    Path folder;

    private final SnapshotId damaged = SnapshotId.random();
    private final SnapshotId other = SnapshotId.random();
    private final Set<Path> bad = new HashSet<>();
    private TestNode node;
    private UUID own;

    @BeforeEach
    void givenTwoSnapshotsOfWhichOneHasABadPlaceUnderItsManifest() throws Exception {
        TestNatives.require();
        Files.createDirectory(folder.resolve("share"));
        try (SnapshotStore store = StoredSnapshot.open(folder, 16 << 20)) {
            StoredSnapshot.make(store, damaged, CHUNKS, 1000);
            StoredSnapshot.make(store, other, CHUNKS, 2000);
        }
        try (TestNode before = open()) {
            before.transfer(damaged, "nfs", StageListener.NONE).succeeded();
        }
        bad.add(manifest());
        node = open();
        own = node.engines().tierStates(true).get(1).storeId().orElseThrow();
    }

    @AfterEach
    void cleanUp() throws Exception {
        node.close();
        TestNode.cleanUp(folder);
    }

    private TestNode open() throws Exception {
        SharedTiers shared = new SharedTiers(
                Optional.of(SharedPlace.nfs(folder.resolve("share"))), Optional.empty(), 0, TierKeys.none());
        return TestNode.open(folder, shared, bad);
    }

    private Path manifest() {
        return folder.resolve("nvme/manifests/" + damaged + ".json");
    }

    private long chunks() throws Exception {
        try (Stream<Path> files = Files.walk(folder.resolve("nvme/chunks"))) {
            return files.filter(Files::isRegularFile).count();
        }
    }

    private void assertTold(TestNode.Ended ended) {
        assertThat(ended.fact(DamagedCopies.class)).satisfies(found -> {
            assertThat(found.snapshot()).isEqualTo(damaged);
            assertThat(found.copies()).singleElement().satisfies(copy -> {
                assertThat(copy.storeId()).isEqualTo(own);
                assertThat(copy.detail()).contains("the manifest of snapshot " + damaged);
            });
        });
    }

    @Test
    void whatReadsTheSnapshotGoesOnWithTheOtherCopyOfItAndTells() throws Exception {
        assertThat(node.engines().inspect(damaged).missingChunks()).isZero();
        assertTold(node.transfer(damaged, "memory", StageListener.NONE).succeeded());
        assertTold(node.transfer(damaged, "nfs", StageListener.NONE).succeeded());
        assertTold(node.export(damaged, folder.resolve("archive"), true, StageListener.NONE)
                .succeeded());
    }

    @Test
    void whatAsksForTheCopyItselfIsToldThatItIsDamaged() throws Exception {
        assertThat(node.verify(damaged).failed().code()).isEqualTo(FailureCode.CHUNK_CORRUPT);
        TestNode.Ended pulled = node.transfer(damaged, "nvme", StageListener.NONE);
        assertThat(pulled.failed().code()).isEqualTo(FailureCode.CHUNK_CORRUPT);
        assertTold(pulled);
        // when it is removed, as the service does with what it was told of
        node.evict(damaged, "nvme").succeeded();
        // then another can be brought; the disk writes it elsewhere
        bad.clear();
        node.transfer(damaged, "nvme", StageListener.NONE).succeeded();
        node.verify(damaged).succeeded();
    }

    @Test
    void aCopyThatIsFoundDamagedOnceItsPullHasBegunIsToldOf() throws Exception {
        bad.clear();

        TestNode.Ended pulled = node.transfer(damaged, "nvme", new StageListener() {
            @Override
            public void reached(OperationSpec spec, String stage, StagePoint point) {
                if (stage.equals("preflight") && point == StagePoint.RETURNED) {
                    bad.add(manifest());
                }
            }
        });

        assertThat(pulled.failed().code()).isEqualTo(FailureCode.CHUNK_CORRUPT);
        assertTold(pulled);
    }

    /** A text that is not what was written. */
    enum Wrong {
        NO_JSON,
        OF_ANOTHER_SNAPSHOT,
        ONE_DIGIT_OF_A_CHUNK,
        /** As if a newer daemon had written it. */
        ONE_DIGIT_OF_ITS_SCHEMA
    }

    private byte[] text(Wrong wrong) throws Exception {
        return switch (wrong) {
            case NO_JSON -> new byte[] {'{', '"', 0, 0};
            case OF_ANOTHER_SNAPSHOT -> Files.readAllBytes(folder.resolve("nvme/manifests/" + other + ".json"));
            case ONE_DIGIT_OF_A_CHUNK -> {
                byte[] text = Files.readAllBytes(manifest());
                String digest = node.engines()
                        .manifest(damaged)
                        .chunks()
                        .findFirst()
                        .orElseThrow()
                        .digest();
                int at = new String(text, StandardCharsets.UTF_8).indexOf(digest);
                text[at] ^= text[at] == 'a' ? 2 : 1; // another hexadecimal digit
                yield text;
            }
            case ONE_DIGIT_OF_ITS_SCHEMA -> {
                byte[] text = Files.readAllBytes(manifest());
                String schema = "gpusnap.manifest/5";
                text[new String(text, StandardCharsets.UTF_8).indexOf(schema) + schema.length() - 1] ^= 2; // 7
                yield text;
            }
        };
    }

    @ParameterizedTest
    @EnumSource
    void aTextThatIsNotTheSnapshotsIsDamageAsABadPlaceIs(Wrong wrong) throws Exception {
        // given
        bad.clear();
        Files.write(manifest(), text(wrong));
        // then work goes on with the other copy, and tells
        assertTold(node.transfer(damaged, "memory", StageListener.NONE).succeeded());
        assertTold(node.export(damaged, folder.resolve("archive"), true, StageListener.NONE)
                .succeeded());
        assertThat(node.verify(damaged).failed().code()).isEqualTo(FailureCode.CHUNK_CORRUPT);
        TestNode.Ended pulled = node.transfer(damaged, "nvme", StageListener.NONE);
        assertThat(pulled.failed().code()).isEqualTo(FailureCode.CHUNK_CORRUPT);
        assertTold(pulled);
        // and others can be deleted
        assertThat(node.evict(other, "nvme")
                        .succeeded()
                        .fact(EvictOutcome.class)
                        .freedBytes())
                .isZero();
        node.evict(damaged, "nvme").succeeded();
        assertThat(chunks()).isZero();
    }

    /** It may be a good one of a newer daemon: its copy must not go. */
    @Test
    void aManifestOfASchemaThatIsNotKnownIsNoDamage() throws Exception {
        bad.clear();
        byte[] newer = Files.readString(manifest())
                .replace("gpusnap.manifest/5", "gpusnap.manifest/99")
                .getBytes(StandardCharsets.UTF_8);
        Files.write(manifest(), newer);
        Files.setAttribute(
                manifest(),
                "user:gpusnap.manifest",
                ManifestDigest.of(newer).hex().getBytes(StandardCharsets.US_ASCII));

        TestNode.Ended ended = node.transfer(damaged, "memory", StageListener.NONE);

        assertThat(ended.failed().code()).isEqualTo(FailureCode.INCOMPATIBLE);
        assertThat(ended.log().recall(DamagedCopies.class)).isEmpty();
        ScrubOutcome scrubbed = node.scrub(new ScrubRequest(
                        TierRef.named("nvme"),
                        List.of(new ScrubRequest.Subject(
                                damaged,
                                ManifestDigest.of(Files.readAllBytes(manifest()))
                                        .hex())),
                        1L << 40,
                        Traffic.Priority.BACKGROUND))
                .succeeded()
                .fact(ScrubOutcome.class);
        assertThat(scrubbed.findings())
                .singleElement()
                .satisfies(found -> assertThat(found.verdict()).isEqualTo(ScrubOutcome.Verdict.UNREADABLE));
        // what it names is not known, so others go without their chunks, until it is removed
        assertThat(node.evict(other, "nvme")
                        .succeeded()
                        .fact(EvictOutcome.class)
                        .freedBytes())
                .isZero();
        assertThat(chunks()).isEqualTo(2 * CHUNKS);
        node.evict(damaged, "nvme").succeeded();
        assertThat(chunks()).isZero();
    }

    @Test
    void anotherSnapshotCanBeDeletedAndItsRoomIsFreeOnceTheDamagedCopyIsRemoved() throws Exception {
        // when
        EvictOutcome evicted = node.evict(other, "nvme").succeeded().fact(EvictOutcome.class);
        // then
        assertThat(evicted.freedBytes()).isZero();
        assertThat(node.engines().snapshots()).containsExactly(damaged);
        assertThat(chunks()).isEqualTo(2 * CHUNKS);
        // when
        evicted = node.evict(damaged, "nvme").succeeded().fact(EvictOutcome.class);
        // then
        assertThat(evicted.freedBytes()).isEqualTo(CHUNKS * (1000 + 2000));
        assertThat(chunks()).isZero();
        assertThat(folder.resolve("nvme/deleted")).isEmptyDirectory();
    }
}
