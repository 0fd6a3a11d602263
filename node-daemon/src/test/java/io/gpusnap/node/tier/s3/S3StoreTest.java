package io.gpusnap.node.tier.s3;

import io.gpusnap.node.tier.blob.BlobStore;
import io.gpusnap.node.tier.blob.BlobStoreContract;

class S3StoreTest extends BlobStoreContract {

    private String bucket;

    @Override
    protected BlobStore open() throws Exception {
        S3Server server = S3Server.shared();
        if (bucket == null) {
            bucket = server.bucket();
        }
        return new S3Store(server.settings(bucket));
    }
}
