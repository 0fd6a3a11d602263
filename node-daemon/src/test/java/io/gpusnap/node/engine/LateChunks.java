package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.node.operation.StageListener;
import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.Manifest;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.tier.s3.FaultProxy;
import io.gpusnap.node.tier.s3.FaultProxy.Fault;
import io.gpusnap.node.tier.s3.S3Server;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Snapshots of which a node has all but some chunks of device memory: these come from a bucket, when a test lets them. */
final class LateChunks implements AutoCloseable {

    static final long LIMIT_SECONDS = 60;

    private final Path folder;
    private final String bucket;
    private final FaultProxy proxy;

    /** @param folder the node's */
    LateChunks(Path folder) throws Exception {
        S3Server server = S3Server.shared();
        this.folder = folder;
        this.bucket = server.bucket();
        this.proxy = new FaultProxy(server.endpoint());
    }

    /** @param limit for the driver's calls */
    EngineSettings settings(Duration limit) throws Exception {
        SharedTiers shared = SharedPlace.of(List.of("s3", proxy.endpoint().toString(), bucket, "in-order"));
        return TestNode.impatient(TestNode.sharing(TestNode.settings(folder, TestNode.POOL_BYTES), shared), limit);
    }

    /**
     * Saves a workload, which ends. No node is open before or after.
     *
     * @param late which chunks of device memory will be in the bucket only; those that host memory has as well stay
     */
    SnapshotId save(TestWorkload workload, Function<Manifest, Stream<ChunkRef>> late) throws Exception {
        Manifest manifest;
        try (TestNode node = TestNode.open(settings(EngineSettings.DRIVER_CALL_LIMIT), UnaryOperator.identity())) {
            SnapshotId snapshot = node.save(EngineId.CRIU_CUDA, workload, AfterSave.STOP)
                    .succeeded()
                    .fact(SaveOutcome.class)
                    .snapshot();
            node.transfer(snapshot, "s3", StageListener.NONE).succeeded();
            manifest = node.engines().manifest(snapshot);
        }
        TestNode.cleanUp(folder); // what is in the pool
        Set<String> away = digests(late.apply(manifest));
        away.removeAll(digests(Stream.concat(
                manifest.host().files().stream().flatMap(one -> one.chunks().stream()),
                manifest.host().areas().stream().flatMap(one -> one.chunks().stream()))));
        assertThat(away).isNotEmpty();
        for (String digest : away) {
            Files.delete(folder.resolve("nvme/chunks/" + digest.substring(0, 2) + "/" + digest));
        }
        return manifest.snapshotId();
    }

    static Stream<ChunkRef> ofDevice(Manifest manifest) {
        return manifest.device().allocations().stream().flatMap(one -> one.chunks().stream());
    }

    private static Set<String> digests(Stream<ChunkRef> chunks) {
        return chunks.flatMap(chunk -> chunk.content().stream())
                .map(ChunkDigest::hex)
                .collect(Collectors.toCollection(HashSet::new));
    }

    /** What happens to each piece on its way from the bucket. */
    void onTheWay(Supplier<Fault> what) {
        proxy.spoil(seen -> seen.isGet() && seen.path().contains("/packs/") ? what.get() : new Fault.None());
    }

    /**
     * All of them wait for something.
     *
     * @param came whether it came to that
     */
    void late(CountDownLatch until, Fault then, AtomicBoolean came) {
        onTheWay(() -> {
            came.set(happens(until, LIMIT_SECONDS));
            return then;
        });
    }

    static boolean happens(CountDownLatch event, long seconds) {
        try {
            return event.await(seconds, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    @Override
    public void close() {
        proxy.close();
    }
}
