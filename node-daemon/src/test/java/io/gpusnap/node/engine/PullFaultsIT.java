package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.OperationSpec;
import io.gpusnap.node.operation.StageListener;
import io.gpusnap.node.operation.StagePoint;
import io.gpusnap.node.snapshot.SnapshotStore;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.tier.s3.FaultProxy;
import io.gpusnap.node.tier.s3.FaultProxy.Fault;
import io.gpusnap.node.tier.s3.FaultProxy.Seen;
import io.gpusnap.node.tier.s3.S3Server;
import io.gpusnap.node.transfer.StoredSnapshot;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** A snapshot that a node copies into its own store: whatever ends that, there are only orphans, and the next run commits once. */
class PullFaultsIT {

    private static final int CHUNK_BYTES = 2 << 20;
    private static final int CHUNKS = 9;

    @TempDir
    Path folder;

    private Path second;
    private SnapshotId snapshot;
    private StoredSnapshot stored;

    @BeforeEach
    void storeASnapshot() throws Exception {
        TestNatives.require();
        second = Files.createDirectories(folder.resolve("second"));
        snapshot = SnapshotId.random();
        try (SnapshotStore store = StoredSnapshot.open(folder.resolve("first"), 16 << 20)) {
            stored = StoredSnapshot.make(store, snapshot, CHUNKS, CHUNK_BYTES);
        }
    }

    @AfterEach
    void cleanUp() throws Exception {
        TestNode.cleanUp(folder.resolve("first"));
        TestNode.cleanUp(second);
    }

    private void push(SharedTiers shared, String tier) throws Exception {
        try (TestNode first = TestNode.open(folder.resolve("first"), shared)) {
            first.transfer(snapshot, tier, StageListener.NONE).succeeded();
        }
    }

    private List<String> nfs() throws Exception {
        return List.of("nfs", Files.createDirectories(folder.resolve("share")).toString());
    }

    private String[] pull(List<String> place) {
        return Stream.concat(Stream.of("pull", snapshot.toString()), place.stream())
                .toArray(String[]::new);
    }

    private long chunksHere() throws Exception {
        try (Stream<Path> files = Files.walk(second.resolve("nvme/chunks"))) {
            return files.filter(Files::isRegularFile).count();
        }
    }

    private void assertNoSnapshot() {
        assertThat(second.resolve("nvme/manifests")).isEmptyDirectory();
    }

    private void assertCommittedOnce(TestNode node) throws Exception {
        assertThat(node.engines().snapshots()).containsExactly(snapshot);
        node.verify(snapshot).succeeded();
        assertThat(second.resolve("nvme/manifests/" + snapshot + ".json")).hasBinaryContent(stored.manifest());
        assertThat(second.resolve("nvme/pending")).isEmptyDirectory();
        assertThat(second.resolve("nvme/quarantine")).isEmptyDirectory();
        assertThat(chunksHere()).isEqualTo(CHUNKS);
    }

    @ParameterizedTest
    @CsvSource({"copy, INSIDE", "copy, RETURNED", "commit, RETURNED"})
    void theDaemonIsKilledInAPullFromNfs(String stage, StagePoint point) throws Exception {
        // given
        push(SharedPlace.of(nfs()), "nfs");
        // when
        DoomedDaemon.live(second, stage, point, pull(nfs()));
        // then
        if (!stage.equals("commit")) {
            assertNoSnapshot();
        }
        try (TestNode node = TestNode.open(second, SharedPlace.of(nfs()))) {
            node.recover().succeeded();
            assertCommittedOnce(node);
        }
    }

    /** What a machine leaves that stops before what a pull wrote was durable: a chunk of the right size, of other content. */
    @Test
    void whatADeadPullLeftIsReadBeforeItIsBelieved() throws Exception {
        // given
        push(SharedPlace.of(nfs()), "nfs");
        DoomedDaemon.live(second, "copy", StagePoint.RETURNED, pull(nfs()));
        Path left;
        try (Stream<Path> files = Files.walk(second.resolve("nvme/chunks"))) {
            left = files.filter(Files::isRegularFile).findFirst().orElseThrow();
        }
        Files.write(left, new byte[CHUNK_BYTES]);
        // when
        try (TestNode node = TestNode.open(second, SharedPlace.of(nfs()))) {
            node.recover().succeeded();
            // then
            assertThat(second.resolve("nvme/quarantine")).isNotEmptyDirectory();
            node.verify(snapshot).succeeded();
            assertThat(chunksHere()).isEqualTo(CHUNKS);
        }
    }

    /** When a request of this kind arrives, the daemon that sent it is killed. */
    enum Request {
        MANIFEST(
                1,
                seen -> seen.isGet()
                        && seen.path().endsWith(".json")
                        && seen.path().contains("/snapshots/")),
        FIRST_OF_A_PACK(1, seen -> seen.isGet() && seen.path().contains("/packs/")),
        THIRD_OF_A_PACK(3, seen -> seen.isGet() && seen.path().contains("/packs/"));

        private final int which;
        private final Predicate<Seen> arrives;

        Request(int which, Predicate<Seen> arrives) {
            this.which = which;
            this.arrives = arrives;
        }
    }

    @ParameterizedTest
    @EnumSource
    void theDaemonIsKilledInAPullFromS3(Request request) throws Exception {
        // given
        S3Server server = S3Server.shared();
        String bucket = server.bucket();
        List<String> straight = List.of("s3", server.endpoint().toString(), bucket);
        push(SharedPlace.of(straight), "s3");
        try (FaultProxy proxy = new FaultProxy(server.endpoint())) {
            AtomicInteger arrived = new AtomicInteger();
            Process daemon = DoomedDaemon.start(
                    second,
                    "none",
                    StagePoint.STARTED,
                    pull(List.of("s3", proxy.endpoint().toString(), bucket)));
            proxy.spoil(seen -> {
                if (request.arrives.test(seen) && arrived.incrementAndGet() == request.which) {
                    daemon.destroyForcibly().onExit().join();
                }
                return new Fault.InTurn();
            });
            // when
            DoomedDaemon.awaitDeath(daemon, second, request.name());
            // then
            assertNoSnapshot();
        }
        long brought = chunksHere();
        try (TestNode node = TestNode.open(second, SharedPlace.of(straight))) {
            TransferOutcome outcome = node.recover().succeeded().fact(TransferOutcome.class);
            // and what was there is not brought again
            assertThat(outcome.movedBytes()).isEqualTo((CHUNKS - brought) * CHUNK_BYTES);
            assertCommittedOnce(node);
        }
    }

    @ParameterizedTest
    @CsvSource({"preflight, 0", "copy, 0", "copy, 5242880"})
    void theDiskIsFilledByOthers(String stage, int leftBytes) throws Exception {
        // given a disk of its own for the second node's store, with a snapshot on it
        push(SharedPlace.of(nfs()), "nfs");
        Path disk = Files.createDirectories(second.resolve("nvme"));
        Assumptions.assumeTrue(
                run("mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", disk.toString()),
                "a file system of its own takes the right to mount");
        try {
            SnapshotId other = SnapshotId.random();
            try (SnapshotStore store = StoredSnapshot.open(second, 16 << 20)) {
                StoredSnapshot.make(store, other, 1, CHUNK_BYTES - 4096);
            }
            try (TestNode node = TestNode.open(second, SharedPlace.of(nfs()))) {
                // when
                StagePoint when = stage.equals("preflight") ? StagePoint.RETURNED : StagePoint.INSIDE;
                FailureCode code = node.transfer(snapshot, "nvme", new FillsAt(stage, when, disk, leftBytes))
                        .failed()
                        .code();
                // then
                assertThat(code).isEqualTo(FailureCode.INSUFFICIENT_SPACE);
                Files.delete(disk.resolve("others"));
                assertThat(node.engines().snapshots()).containsExactly(other);
                assertThat(disk.resolve("pending")).isEmptyDirectory();
                assertThat(disk.resolve("tmp")).isEmptyDirectory();
                assertThat(chunksHere()).isEqualTo(1);
                node.verify(other).succeeded();
                // and with room it is brought
                node.transfer(snapshot, "nvme", StageListener.NONE).succeeded();
                node.verify(snapshot).succeeded();
            }
        } finally {
            run("umount", disk.toString());
        }
    }

    /** Somebody else, who once leaves so many bytes. */
    private record FillsAt(String stage, StagePoint when, Path disk, int leftBytes) implements StageListener {

        @Override
        public synchronized void reached(OperationSpec spec, String reached, StagePoint point) {
            Path others = disk.resolve("others");
            if (!reached.equals(stage) || point != when || Files.exists(others)) {
                return;
            }
            try {
                long free = Files.getFileStore(disk).getUsableSpace();
                Files.write(others, new byte[(int) (free - leftBytes)]);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    @Test
    void whatIsReadFirstIsWhatTheCallerNames() throws Exception {
        // given the same snapshot in two shared stores
        S3Server server = S3Server.shared();
        List<String> s3 = List.of("s3", server.endpoint().toString(), server.bucket());
        SharedTiers both =
                new SharedTiers(SharedPlace.of(nfs()).nfs(), SharedPlace.of(s3).s3(), 0);
        push(both, "nfs");
        push(both, "s3");
        // when, then
        try (TestNode node = TestNode.open(second, both)) {
            node.transfer(snapshot, "nvme", "s3").succeeded();
            assertThat(node.engines().readBytes()).containsOnlyKeys("s3");
            node.evict(snapshot, "nvme").succeeded();
        }
        try (TestNode node = TestNode.open(second, both)) {
            node.transfer(snapshot, "nvme", "nfs").succeeded();
            assertThat(node.engines().readBytes()).containsOnlyKeys("nfs");
        }
    }

    private static boolean run(String... command) throws Exception {
        Process process = new ProcessBuilder(command).inheritIO().start();
        return process.waitFor(20, TimeUnit.SECONDS) && process.exitValue() == 0;
    }
}
