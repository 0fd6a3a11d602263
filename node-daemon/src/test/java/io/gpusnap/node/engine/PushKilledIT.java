package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.node.file.Folders;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.OperationOutcome;
import io.gpusnap.node.operation.OperationSpec;
import io.gpusnap.node.operation.StageListener;
import io.gpusnap.node.operation.StagePoint;
import io.gpusnap.node.snapshot.SnapshotStore;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.store.TreeDigester;
import io.gpusnap.node.tier.pack.FrameSettings;
import io.gpusnap.node.tier.pack.PackSettings;
import io.gpusnap.node.tier.pack.PackTier;
import io.gpusnap.node.tier.pack.SharedObject;
import io.gpusnap.node.tier.s3.FaultProxy;
import io.gpusnap.node.tier.s3.FaultProxy.Fault;
import io.gpusnap.node.tier.s3.FaultProxy.Seen;
import io.gpusnap.node.tier.s3.S3Server;
import io.gpusnap.node.tier.s3.S3Store;
import io.gpusnap.node.transfer.StoredSnapshot;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * SIGKILL of a daemon at each point of a push: never a snapshot. The next daemon finds the push in its journal and goes on with what
 * was there; and what nobody goes on with is the sweeper's.
 */
class PushKilledIT {

    /** When a request of this kind arrives, the daemon that sent it is killed; the server still gets the request. */
    enum Point {
        MARKER(seen -> seen.method().equals("PUT") && seen.path().endsWith("gpusnap-store.json")),
        UPLOAD_BEGINS(seen -> seen.method().equals("POST") && seen.query().startsWith("uploads")),
        SECOND_PART(seen -> seen.isPart() && seen.query().contains("partNumber=2")),
        COMPLETION(Seen::isComplete),
        READ_BACK(seen -> seen.isGet() && seen.path().contains("/packs/")),
        INDEX(seen -> seen.method().equals("PUT") && seen.path().contains("/indexes/")),
        INDEX_READ_BACK(seen -> seen.isGet() && seen.path().contains("/indexes/")),
        MAP(seen -> seen.method().equals("PUT") && seen.path().endsWith(".map")),
        MANIFEST(seen -> seen.method().equals("PUT")
                && seen.path().endsWith(".json")
                && seen.path().contains("/snapshots/"));

        private final Predicate<Seen> arrives;

        Point(Predicate<Seen> arrives) {
            this.arrives = arrives;
        }
    }

    private static final int CHUNK_BYTES = 2 << 20;
    /** One pack, of three parts: so the order of requests is that of the code. */
    private static final int CHUNKS = 7;

    private static final UUID SERVICE = new UUID(7, 7);

    @TempDir
    Path folder;

    private Path first;
    private Path second;
    private SnapshotId snapshot;
    private StoredSnapshot stored;

    @BeforeEach
    void storeASnapshot() throws Exception {
        TestNatives.require();
        first = Files.createDirectories(folder.resolve("first"));
        second = folder.resolve("second");
        snapshot = SnapshotId.random();
        try (SnapshotStore store = StoredSnapshot.open(first, 16 << 20)) {
            stored = StoredSnapshot.make(store, snapshot, CHUNKS, CHUNK_BYTES);
        }
    }

    @AfterEach
    void cleanUp() throws Exception {
        TestNode.cleanUp(first);
        TestNode.cleanUp(second);
    }

    private static List<String> place(URI endpoint, String bucket) {
        return List.of("s3", endpoint.toString(), bucket, "in-order");
    }

    private String[] push(List<String> place) {
        return Stream.concat(Stream.of("push", snapshot.toString()), place.stream())
                .toArray(String[]::new);
    }

    private static List<String> names(List<SharedObject> objects) {
        return objects.stream().map(SharedObject::name).toList();
    }

    private void kill(FaultProxy proxy, Point point, String bucket) throws Exception {
        AtomicBoolean reached = new AtomicBoolean();
        Process daemon = DoomedDaemon.start(first, "none", StagePoint.STARTED, push(place(proxy.endpoint(), bucket)));
        proxy.spoil(seen -> {
            if (point.arrives.test(seen) && reached.compareAndSet(false, true)) {
                // The daemon's own look at the store may be what asks, before its push has begun.
                Awaitility.await().ignoreExceptions().until(this::hasBegun);
                daemon.destroyForcibly().onExit().join();
            }
            return new Fault.None();
        });
        DoomedDaemon.awaitDeath(daemon, first, point.name());
        proxy.awaitRest(); // what it had sent is done, or not, before anybody looks
        proxy.spoil(seen -> new Fault.None());
        proxy.seen().clear();
    }

    private boolean hasBegun() throws Exception {
        Path journal = TestNode.settings(first, TestNode.POOL_BYTES).stateDir().resolve("journal");
        try (Stream<Path> files = Files.walk(journal)) {
            return files.anyMatch(file -> file.endsWith("spec.json"));
        }
    }

    @ParameterizedTest
    @EnumSource
    void theNextDaemonMakesItWholeWithWhatWasThere(Point point) throws Exception {
        S3Server server = S3Server.shared();
        String bucket = server.bucket();
        try (FaultProxy proxy = new FaultProxy(server.endpoint());
                PackTier other = new PackTier(
                        PackSettings.of("s3"), new S3Store(server.settings(bucket)), FrameSettings.none())) {
            // when
            kill(proxy, point, bucket);
            // then nobody finds a snapshot, unless its last object is there
            assertThat(other.snapshots()).hasSize(point == Point.MANIFEST ? 1 : 0);

            // when the next daemon reads its journal
            try (TestNode next = TestNode.open(first, SharedPlace.of(place(proxy.endpoint(), bucket)))) {
                TransferOutcome outcome = next.recover().succeeded().fact(TransferOutcome.class);
                // then it is there once, and what the dead one had got there was not sent again
                assertThat(other.snapshots()).hasSize(1);
                long parts = proxy.seen().stream().filter(Seen::isPart).count();
                switch (point) {
                    case MARKER, UPLOAD_BEGINS -> assertThat(parts).isEqualTo(3);
                    // The first part is there and the third is not; of the second one all may have been sent before
                    // the kill, or not.
                    case SECOND_PART -> assertThat(parts).isBetween(1L, 2L);
                    case COMPLETION, READ_BACK, INDEX, INDEX_READ_BACK, MAP, MANIFEST ->
                        assertThat(parts).isZero();
                }
                // and the sweeper finds what the snapshot needs, and nothing else
                SweepOutcome swept =
                        next.sweep(sweep(List.of(), Duration.ZERO)).succeeded().fact(SweepOutcome.class);
                assertThat(swept.complete()).isTrue();
                assertThat(names(swept.objects())).containsExactlyInAnyOrderElementsOf(names(outcome.objects()));
                assertThat(swept.abortedUploads()).isZero();
            }
            // and it is whole
            MemorySegment buffer = Arena.ofAuto().allocate(CHUNK_BYTES, 4096);
            for (ChunkRef chunk : stored.chunks()) {
                assertThat(other.readProven(chunk, buffer, new TreeDigester()::digest))
                        .isEmpty();
            }
            assertThat(other.manifest(snapshot, found -> true)).isEqualTo(stored.manifest());
        }
    }

    private static SweepRequest sweep(List<String> delete, Duration abortUploadsAfter) {
        return new SweepRequest(TierRef.named("s3"), SERVICE, delete, "", 100, abortUploadsAfter);
    }

    @ParameterizedTest
    @EnumSource(names = {"SECOND_PART", "INDEX"})
    void whatNobodyGoesOnWithIsSwept(Point point) throws Exception {
        // given a daemon that died and whose machine does not come back
        S3Server server = S3Server.shared();
        String bucket = server.bucket();
        try (FaultProxy proxy = new FaultProxy(server.endpoint())) {
            kill(proxy, point, bucket);
        }
        try (TestNode other = TestNode.open(second, SharedPlace.of(place(server.endpoint(), bucket)))) {
            // when another one sweeps, first with an age that the upload does not have
            SweepOutcome found = other.sweep(sweep(List.of(), Duration.ofHours(1)))
                    .succeeded()
                    .fact(SweepOutcome.class);
            assertThat(found.abortedUploads()).isZero();
            AtomicInteger aborted = new AtomicInteger();
            boolean halfSent = point == Point.SECOND_PART;
            // The store tells its own time to the second.
            Awaitility.await().until(() -> {
                SweepOutcome swept = other.sweep(sweep(names(found.objects()), Duration.ZERO))
                        .succeeded()
                        .fact(SweepOutcome.class);
                return aborted.addAndGet(swept.abortedUploads()) == (halfSent ? 1 : 0);
            });
            // then nothing is left
            SweepOutcome left =
                    other.sweep(sweep(List.of(), Duration.ZERO)).succeeded().fact(SweepOutcome.class);
            assertThat(left.objects()).isEmpty();
            assertThat(left.abortedUploads()).isZero();
            assertThat(found.objects().isEmpty()).isEqualTo(halfSent);
        }
    }

    @ParameterizedTest
    @CsvSource({"copy, INSIDE", "copy, RETURNED"})
    void theDaemonIsKilledInAPushToNfs(String stage, StagePoint point) throws Exception {
        Path share = Files.createDirectories(folder.resolve("share"));
        List<String> place = List.of("nfs", share.toString());
        // when
        DoomedDaemon.live(first, stage, point, push(place));
        // then
        assertThat(share.resolve("snapshots")).doesNotExist();
        try (TestNode next = TestNode.open(first, SharedPlace.of(place))) {
            TransferOutcome outcome = next.recover().succeeded().fact(TransferOutcome.class);
            SweepOutcome swept = next.sweep(
                            new SweepRequest(TierRef.named("nfs"), SERVICE, List.of(), "", 100, Duration.ZERO))
                    .succeeded()
                    .fact(SweepOutcome.class);
            assertThat(names(swept.objects())).containsExactlyInAnyOrderElementsOf(names(outcome.objects()));
        }
        try (TestNode reader = TestNode.open(second, SharedPlace.of(place))) {
            reader.transfer(snapshot, "nvme", StageListener.NONE).succeeded();
            reader.verify(snapshot).succeeded();
        }
    }

    /** What the dead daemon knew of lost packs died with it: where chunks lie the next one learns from indexes. */
    @Test
    void theNextDaemonNamesNoPackThatTheDeadOneFoundGone() throws Exception {
        // given copies of the same chunks, of each of which something took the packs and left the indexes
        Path share = Files.createDirectories(folder.resolve("share"));
        List<String> place = List.of("nfs", share.toString());
        for (int i = 0; i < 4; i++) {
            SnapshotId other = SnapshotId.random();
            try (SnapshotStore store = StoredSnapshot.open(second, 16 << 20)) {
                StoredSnapshot.make(store, other, CHUNKS, CHUNK_BYTES);
            }
            try (TestNode node = TestNode.open(second, SharedPlace.of(place))) {
                node.transfer(other, "nfs", StageListener.NONE).succeeded();
            }
            Folders.delete(share.resolve("packs"));
        }
        // when
        DoomedDaemon.live(first, "copy", StagePoint.SUCCEEDED, push(place));
        // then
        try (TestNode next = TestNode.open(first, SharedPlace.of(place))) {
            TransferOutcome outcome = next.recover().succeeded().fact(TransferOutcome.class);
            assertThat(names(outcome.objects()))
                    .allSatisfy(name -> assertThat(share.resolve(name)).exists());
        }
    }

    @Test
    void whatTheStoreLosesBeforeTheCommitIsNoFaultOfTheCopyThatWasRead() throws Exception {
        // given somebody who deletes in the store
        Path share = Files.createDirectories(folder.resolve("share"));
        StageListener loses = new StageListener() {
            @Override
            public void reached(OperationSpec spec, String stage, StagePoint point) {
                if (stage.equals("copy") && point == StagePoint.SUCCEEDED) {
                    try {
                        Folders.delete(share.resolve("packs"));
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                }
            }
        };
        try (TestNode node = TestNode.open(first, SharedPlace.of(List.of("nfs", share.toString())))) {
            // when
            OperationOutcome.Failed failed =
                    node.transfer(snapshot, "nfs", loses).failed();
            // then it condemns nothing, and whoever wants it asks again
            assertThat(failed.code()).isEqualTo(FailureCode.STORE_ERROR);
            assertThat(failed.retryable()).isTrue();
            node.transfer(snapshot, "nfs", StageListener.NONE).succeeded();
            node.verify(snapshot).succeeded();
        }
    }
}
