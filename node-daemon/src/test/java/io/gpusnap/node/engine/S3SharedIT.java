package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.node.operation.StageListener;
import io.gpusnap.node.peer.Peer;
import io.gpusnap.node.peer.PeerSettings;
import io.gpusnap.node.peer.TestService;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.tier.blob.BlobInfo;
import io.gpusnap.node.tier.blob.BlobKey;
import io.gpusnap.node.tier.blob.BlobStore.IfThere;
import io.gpusnap.node.tier.pack.PackSettings;
import io.gpusnap.node.tier.s3.S3Server;
import io.gpusnap.node.tier.s3.S3Store;
import java.lang.foreign.MemorySegment;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class S3SharedIT extends SharedTierContract {

    private String bucket;

    @Override
    String tier() {
        return "s3";
    }

    @Override
    SharedTiers shared() throws Exception {
        S3Server server = S3Server.shared();
        if (bucket == null) {
            bucket = server.bucket();
        }
        return new SharedTiers(
                Optional.empty(),
                Optional.of(new SharedTiers.S3(new PackSettings("s3", 32L << 20), server.settings(bucket))),
                0);
    }

    @Override
    void spoilPacks() throws Exception {
        try (S3Store store = new S3Store(S3Server.shared().settings(bucket))) {
            for (BlobInfo pack : store.list(BlobKey.Folder.PACKS, "")) {
                byte[] bytes = store.readAll(pack.key(), 64 << 20);
                for (int i = 0; i < bytes.length; i += 4096) {
                    bytes[i] ^= 1;
                }
                store.put(pack.key(), MemorySegment.ofArray(bytes), IfThere.REPLACE);
            }
        }
    }

    private SharedTiers withPeers() throws Exception {
        SharedTiers tiers = shared();
        return new SharedTiers(
                tiers.nfs(),
                tiers.s3(),
                0,
                tiers.mostStill(),
                tiers.keys(),
                new PeerSettings(
                        Optional.of(new InetSocketAddress("127.0.0.1", 0)),
                        Optional.empty(),
                        "default",
                        16,
                        0,
                        Duration.ofSeconds(30),
                        64 << 20));
    }

    @Test
    void aNodeThatHasTheSnapshotGivesItsChunksToAThawElsewhere() throws Exception {
        // given
        SnapshotId snapshot = saved();
        pushed(snapshot);
        first.close();
        first = TestNode.open(folder.resolve("first"), withPeers());
        second = TestNode.open(folder.resolve("second"), withPeers());
        String digest = first.engines().inspect(snapshot).manifestDigest();
        TestService service = new TestService(snapshot.value(), digest);
        service.takesPart(service.register(first.engines().fanOut()), Peer.Role.HOLDER);
        service.takesPart(service.register(second.engines().fanOut()), Peer.Role.FETCHER);
        // when
        ThawOutcome thaw = second.thaw(EngineId.CRIU_CUDA, snapshot, Optional.of(digest), StageListener.NONE)
                .succeeded()
                .fact(ThawOutcome.class);
        // then
        workload.became(new ProcessId(thaw.pid(), thaw.startTimeTicks()));
        assertThat(workload.answer(PROMPT)).isEqualTo(answer);
        assertThat(thaw.bytesByTier()).containsKey("peer").doesNotContainKey("s3");
        assertThat(first.engines().fanOut().counts().servedBytes())
                .isEqualTo(thaw.bytesByTier().get("peer"));
    }
}
