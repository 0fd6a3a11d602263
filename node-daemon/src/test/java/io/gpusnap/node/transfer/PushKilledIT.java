package io.gpusnap.node.transfer;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.node.snapshot.SnapshotStore;
import io.gpusnap.node.store.ManifestJson;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.tier.pack.PackTier;
import io.gpusnap.node.tier.s3.FaultProxy;
import io.gpusnap.node.tier.s3.FaultProxy.Fault;
import io.gpusnap.node.tier.s3.FaultProxy.Seen;
import io.gpusnap.node.tier.s3.S3Server;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** SIGKILL of a daemon at each point of a push to S3: never a snapshot, and the next run uses what was there. */
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

    @TempDir
    Path folder;

    @ParameterizedTest
    @EnumSource
    void theNextRunMakesItWholeWithWhatWasThere(Point point) throws Exception {
        S3Server server = S3Server.shared();
        String bucket = server.bucket();
        SnapshotId snapshot = SnapshotId.random();
        UUID copy = UUID.randomUUID();
        StoredSnapshot made;
        try (SnapshotStore store = StoredSnapshot.open(folder)) {
            made = StoredSnapshot.make(store, snapshot, 9, 2 << 20);
        }
        try (FaultProxy proxy = new FaultProxy(server.endpoint())) {
            // when
            kill(proxy, point, snapshot, copy, bucket);
            proxy.awaitRest(); // what it had sent is done, or not, before anybody looks
            // then nobody finds a snapshot, unless its last object is there
            PackTier other = DoomedPush.tier(server.endpoint(), bucket);
            assertThat(other.snapshots()).hasSize(point == Point.MANIFEST ? 1 : 0);

            // when another daemon does it again
            proxy.spoil(seen -> new Fault.None());
            proxy.seen().clear();
            PackTier again = DoomedPush.tier(proxy.endpoint(), bucket);
            try (SnapshotStore store = StoredSnapshot.open(folder, again)) {
                DoomedPush.push(store, again, snapshot, copy);
            }
            // then it is there once, whole, and what the first one had got there was not sent again
            assertThat(other.snapshots()).hasSize(1);
            assertThat(other.manifest(snapshot, found -> true)).isEqualTo(made.manifest());
            new Scrub(
                            made.store().nvme(),
                            Optional.of(other),
                            new Transfer(1, bytes -> {}, () -> {}),
                            new Traffic(0).share(0, false))
                    .read(made.chunks());
            assertThat(other.store().removeUnfinished(Duration.ZERO)).isZero();
            long parts = proxy.seen().stream().filter(Seen::isPart).count();
            switch (point) {
                case MARKER, UPLOAD_BEGINS -> assertThat(parts).isEqualTo(3);
                // The first part is there and the third is not; of the second one all may have been sent before the
                // kill, or not.
                case SECOND_PART -> assertThat(parts).isBetween(1L, 2L);
                case COMPLETION, READ_BACK, INDEX, INDEX_READ_BACK, MAP, MANIFEST ->
                    assertThat(parts).isZero();
            }
            other.close();
        }
    }

    @Test
    void whoDiesBeforeTheManifestLeavesOnlyThatToDo() throws Exception {
        // given a daemon that has brought all chunks
        S3Server server = S3Server.shared();
        String bucket = server.bucket();
        SnapshotId snapshot = SnapshotId.random();
        UUID copy = UUID.randomUUID();
        PackTier first = DoomedPush.tier(server.endpoint(), bucket);
        try (SnapshotStore store = StoredSnapshot.open(folder, first)) {
            StoredSnapshot made = StoredSnapshot.make(store, snapshot, 3, 2 << 20);
            new SnapshotPush(first, store.sources(), copy)
                    .chunks(
                            made.chunks(),
                            new Transfer(1, bytes -> {}, () -> {}),
                            new Traffic(0).share(0, true),
                            total -> {});
        }
        // when the next one begins where that ended
        PackTier next = DoomedPush.tier(server.endpoint(), bucket);
        try (SnapshotStore store = StoredSnapshot.open(folder, next)) {
            byte[] manifest = store.manifest(snapshot);
            new SnapshotPush(next, store.sources(), copy)
                    .manifest(
                            snapshot,
                            manifest,
                            ManifestJson.read(manifest).chunks().toList());
            // then
            assertThat(next.snapshots()).hasSize(1);
        }
    }

    private void kill(FaultProxy proxy, Point point, SnapshotId snapshot, UUID copy, String bucket) throws Exception {
        AtomicBoolean reached = new AtomicBoolean();
        Process daemon = DoomedPush.start(folder, snapshot, copy, proxy.endpoint(), bucket);
        proxy.spoil(seen -> {
            if (point.arrives.test(seen) && reached.compareAndSet(false, true)) {
                daemon.destroyForcibly().onExit().join();
            }
            return new Fault.None();
        });
        boolean ended = daemon.waitFor(120, TimeUnit.SECONDS);
        daemon.destroyForcibly();
        assertThat(ended).as(Files.readString(folder.resolve("push.out"))).isTrue();
        assertThat(daemon.exitValue())
                .as("%s: %s", point, Files.readString(folder.resolve("push.out")))
                .isEqualTo(128 + 9);
    }
}
