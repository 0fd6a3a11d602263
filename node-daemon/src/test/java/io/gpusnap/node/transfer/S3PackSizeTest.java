package io.gpusnap.node.transfer;

import io.gpusnap.node.tier.blob.BlobStore;
import io.gpusnap.node.tier.s3.S3Server;
import io.gpusnap.node.tier.s3.S3Store;
import org.jspecify.annotations.Nullable;

class S3PackSizeTest extends PackSizeContract {

    private @Nullable String bucket;

    @Override
    BlobStore store() throws Exception {
        if (bucket == null) {
            bucket = S3Server.shared().bucket();
        }
        return new S3Store(S3Server.shared().settings(bucket));
    }
}
