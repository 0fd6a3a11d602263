package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.node.criu.TestCriu;
import io.gpusnap.node.operation.StageListener;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.tier.blob.BlobKey;
import io.gpusnap.node.tier.blob.BlobStore;
import io.gpusnap.node.tier.nfs.NfsSettings;
import io.gpusnap.node.tier.nfs.NfsStore;
import io.gpusnap.node.tier.pack.PackSettings;
import io.gpusnap.node.tier.s3.FaultProxy;
import io.gpusnap.node.tier.s3.FaultProxy.Fault;
import io.gpusnap.node.tier.s3.FaultProxy.Seen;
import io.gpusnap.node.tier.s3.S3Server;
import io.gpusnap.node.tier.s3.S3Settings;
import io.gpusnap.node.tier.s3.S3Store;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A node without a copy of its own that thaws a snapshot which two shared stores have: a directory, and a bucket behind a proxy. */
class TwoStoresIT {

    private static final long SMALL_POOL_BYTES = 24L << 20;

    private static final String PROMPT = "warm";
    private static final int ATTEMPTS = 2;

    @TempDir
    static Path saved;

    @TempDir
    Path folder;

    private static Path share;
    private static FaultProxy proxy;
    private static String bucket;
    private static TestWorkload workload;
    private static String answer;
    private static SnapshotId snapshot;
    private static long sizeBytes;

    private TestNode node;

    @BeforeAll
    static void saveIntoBoth() throws Exception {
        TestNatives.require();
        TestCriu.require();
        share = Files.createDirectories(saved.resolve("share"));
        bucket = S3Server.shared().bucket();
        proxy = new FaultProxy(S3Server.shared().endpoint());
        workload = TestWorkload.start(saved.resolve("workload"));
        answer = workload.answer(PROMPT);
        try (TestNode first = TestNode.open(saved.resolve("first"), both())) {
            snapshot = first.save(EngineId.CRIU_CUDA, workload, AfterSave.STOP)
                    .succeeded()
                    .fact(SaveOutcome.class)
                    .snapshot();
            Awaitility.await().until(() -> !workload.isAlive());
            first.transfer(snapshot, "nfs", StageListener.NONE).succeeded();
            first.transfer(snapshot, "s3", StageListener.NONE).succeeded();
            sizeBytes =
                    first.verify(snapshot).succeeded().fact(VerifyOutcome.class).sizeBytes();
        }
    }

    @AfterAll
    static void end() throws Exception {
        if (workload != null) {
            workload.close();
        }
        if (proxy != null) {
            proxy.close();
        }
        TestNode.cleanUp(saved.resolve("first"));
    }

    @BeforeEach
    void openAnEmptyNode() throws Exception {
        proxy.spoil(seen -> new Fault.None());
        node = TestNode.open(folder, both());
    }

    @AfterEach
    void endNodeAndProcess() throws Exception {
        if (workload.isAlive()) {
            workload.end();
        }
        node.close();
        TestNode.cleanUp(folder);
    }

    /** Small packs: a thaw asks for several stretches of several of them. */
    private static SharedTiers both() {
        S3Settings plain = S3Server.settings(bucket, proxy.endpoint());
        return new SharedTiers(
                Optional.of(new SharedTiers.Nfs(
                        new PackSettings("nfs", 16L << 20), NfsSettings.of(share, Duration.ofSeconds(60)))),
                Optional.of(new SharedTiers.S3(
                        new PackSettings("s3", 16L << 20),
                        S3Server.asking(
                                plain, plain.partBytes(), plain.connections(), Duration.ofSeconds(3), ATTEMPTS))),
                0);
    }

    private ThawOutcome thawn(List<String> sources, StageListener listener) throws Exception {
        ThawOutcome thaw = node.thaw(snapshot, sources, listener).succeeded().fact(ThawOutcome.class);
        workload.became(new ProcessId(thaw.pid(), thaw.startTimeTicks()));
        assertThat(workload.answer(PROMPT)).isEqualTo(answer);
        return thaw;
    }

    private static boolean readsAPack(Seen seen) {
        return seen.isGet() && seen.path().contains("/packs/");
    }

    @Test
    void theNearerOneIsReadUnlessTheCallerNamesTheOther() throws Exception {
        assertThat(thawn(List.of(), StageListener.NONE).bytesByTier()).containsOnlyKeys("nfs");
        workload.end();
        node.close();
        TestNode.cleanUp(folder); // with what is in the pool
        node = TestNode.open(folder, both());
        assertThat(thawn(List.of("s3"), StageListener.NONE).bytesByTier()).containsOnlyKeys("s3");
    }

    @Test
    void oneThatStallsInTheMiddleIsLeftForTheOtherAndNotWaitedForAgainAndAgain() throws Exception {
        // given a bucket that gives some, and then stalls
        AtomicInteger asked = new AtomicInteger();
        proxy.spoil(seen -> readsAPack(seen) && asked.incrementAndGet() > 2 ? new Fault.Stall(1000) : new Fault.None());
        // when
        ThawOutcome thaw = thawn(List.of("s3"), StageListener.NONE);
        // then
        assertThat(thaw.bytesByTier()).containsOnlyKeys("s3", "nfs");
        assertThat(thaw.bytesByTier().values().stream()
                        .mapToLong(Long::longValue)
                        .sum())
                .isEqualTo(sizeBytes);
        // and it was not each chunk's turn to find out
        long chunks = node.engines()
                .inspect(snapshot)
                .manifest()
                .chunks()
                .filter(chunk -> !chunk.isZero())
                .distinct()
                .count();
        assertThat((long) asked.get()).isLessThan(chunks);
    }

    @Test
    void oneThatGoesAwayInTheMiddleIsReplacedByTheOther() throws Exception {
        // given a pool that has no room for all before the process takes it, and a share that is gone when only the
        // files of the image
        // are sure to have been read
        node.close();
        TestNode.cleanUp(folder);
        node = TestNode.open(folder, both(), SMALL_POOL_BYTES);
        StageListener unmount = new StageStarts("criu-restore", () -> move(share, saved.resolve("away")));
        try {
            // when
            ThawOutcome thaw = thawn(List.of("nfs"), unmount);
            // then
            assertThat(thaw.bytesByTier()).containsOnlyKeys("s3", "nfs");
            // what found no room when it was proven is read once more
            assertThat(thaw.bytesByTier().values().stream()
                            .mapToLong(Long::longValue)
                            .sum())
                    .isGreaterThan(sizeBytes);
        } finally {
            move(saved.resolve("away"), share);
        }
    }

    /** One bit of each answer, or of each file. */
    @ParameterizedTest
    @CsvSource({"s3, nfs", "nfs, s3"})
    void oneThatGivesWrongBytesIsPutInQuarantineAndTheOtherIsRead(String spoilt, String good) throws Exception {
        try {
            if (spoilt.equals("s3")) {
                proxy.spoil(seen -> readsAPack(seen) ? new Fault.FlipBit() : new Fault.None());
            } else {
                SharedTierContract.flipEach(share.resolve("packs"));
            }
            // when
            ThawOutcome thaw = thawn(List.of(spoilt), StageListener.NONE);
            // then nothing of what was wrong ran, and it is counted where it was found
            assertThat(thaw.bytesByTier()).containsKey(good);
            assertThat(thaw.bytesByTier().values().stream()
                            .mapToLong(Long::longValue)
                            .sum())
                    .isEqualTo(sizeBytes);
            Map<String, Long> quarantined = node.engines().quarantinedChunks();
            assertThat(quarantined.get(spoilt.toUpperCase(Locale.ROOT))).isPositive();
            assertThat(quarantined.get(good.toUpperCase(Locale.ROOT))).isZero();
        } finally {
            mend(spoilt);
        }
    }

    /** As it was before, without the marks that nodes have set. */
    private static void mend(String spoilt) throws Exception {
        proxy.spoil(seen -> new Fault.None());
        if (spoilt.equals("nfs")) {
            SharedTierContract.flipEach(share.resolve("packs"));
        }
        try (BlobStore store = spoilt.equals("nfs")
                ? new NfsStore(NfsSettings.of(share, Duration.ofSeconds(60)))
                : new S3Store(S3Server.shared().settings(bucket))) {
            for (BlobKey mark : store.names(BlobKey.Folder.QUARANTINE)) {
                store.delete(mark);
            }
        }
    }

    private static void move(Path from, Path to) {
        try {
            Files.move(from, to);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
