package io.gpusnap.node.tier.pack;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.node.tier.ChunkTier;
import io.gpusnap.node.tier.blob.BlobKey;
import io.gpusnap.node.tier.s3.FaultProxy;
import io.gpusnap.node.tier.s3.FaultProxy.Fault;
import io.gpusnap.node.tier.s3.S3Server;
import io.gpusnap.node.tier.s3.S3Settings;
import io.gpusnap.node.tier.s3.S3Store;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;

class S3TierTest extends PackTierContract {

    private String bucket;
    private @Nullable FaultProxy proxy;

    @Override
    protected ChunkTier open() throws Exception {
        if (bucket == null) {
            bucket = S3Server.shared().bucket();
        }
        return on(S3Server.shared().settings(bucket));
    }

    private static PackTier on(S3Settings settings) throws Exception {
        return new PackTier(PackSettings.of("s3"), new S3Store(settings), FrameSettings.none());
    }

    /** Each object's request stops; what is sent in parts is {@code S3FaultsTest}'s. */
    @Override
    protected ChunkTier open(Middle middle) throws Exception {
        proxy = new FaultProxy(S3Server.shared().endpoint());
        S3Settings plain = S3Server.settings(bucket, proxy.endpoint());
        PackTier tier = on(S3Server.asking(plain, plain.partBytes(), 1, Duration.ofSeconds(60), 1));
        tier.storeId();
        proxy.spoil(seen -> seen.method().equals("PUT") ? new Fault.Middle(middle::reached) : new Fault.None());
        return tier;
    }

    @AfterEach
    void stopProxy() {
        if (proxy != null) {
            proxy.close();
        }
    }

    @Override
    protected void assertHoldsNothing() throws Exception {
        try (S3Store store = new S3Store(S3Server.shared().settings(bucket))) {
            assertThat(store.list(BlobKey.Folder.PACKS, "")).isEmpty();
            assertThat(store.list(BlobKey.Folder.INDEXES, "")).isEmpty();
            assertThat(store.removeUnfinished(Duration.ZERO)).isZero();
        }
    }
}
