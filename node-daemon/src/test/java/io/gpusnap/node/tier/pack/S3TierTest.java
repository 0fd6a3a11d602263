package io.gpusnap.node.tier.pack;

import io.gpusnap.node.tier.ChunkTier;
import io.gpusnap.node.tier.ChunkTierContract;
import io.gpusnap.node.tier.s3.S3Server;
import io.gpusnap.node.tier.s3.S3Store;

class S3TierTest extends ChunkTierContract {

    private String bucket;

    @Override
    protected ChunkTier open() throws Exception {
        if (bucket == null) {
            bucket = S3Server.shared().bucket();
        }
        return new PackTier(
                PackSettings.of("s3"), new S3Store(S3Server.shared().settings(bucket)), FrameSettings.none());
    }
}
