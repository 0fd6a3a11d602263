package io.gpusnap.node.tier.s3;

import io.gpusnap.node.tier.blob.BlobStore;
import io.gpusnap.node.tier.blob.BlobStoreContract;
import io.gpusnap.node.tier.s3.FaultProxy.Fault;
import org.junit.jupiter.api.AfterEach;

class S3StoreTest extends BlobStoreContract {

    private FaultProxy proxy;
    private String bucket;

    /** The server for tests looks for an object and writes it without a lock, which a real one does not: puts come in turn. */
    @Override
    protected BlobStore open() throws Exception {
        S3Server server = S3Server.shared();
        if (bucket == null) {
            bucket = server.bucket();
            proxy = new FaultProxy(server.endpoint());
            proxy.spoil(seen -> seen.method().equals("PUT") ? new Fault.InTurn() : new Fault.None());
        }
        return new S3Store(S3Server.settings(bucket, proxy.endpoint()));
    }

    @AfterEach
    void stopProxy() {
        proxy.close();
    }
}
