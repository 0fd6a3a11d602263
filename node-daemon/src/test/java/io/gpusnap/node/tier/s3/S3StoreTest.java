package io.gpusnap.node.tier.s3;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.node.tier.blob.BlobStore;
import io.gpusnap.node.tier.blob.BlobStore.IfThere;
import io.gpusnap.node.tier.blob.BlobStoreContract;
import io.gpusnap.node.tier.s3.FaultProxy.Fault;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

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

    @Test
    void aSmallObjectIsReadWithOneRequest() throws Exception {
        byte[] content = random(5000, 1);
        store.put(PACK, MemorySegment.ofArray(content), IfThere.KEEP);
        proxy.seen().clear();
        assertThat(store.readAll(PACK, 10_000)).isEqualTo(content);
        assertThat(proxy.seen())
                .singleElement()
                .satisfies(seen -> assertThat(seen.isGet()).isTrue());
    }

    /** What a store answers to a range of nothing is an error; an object of nothing is none. */
    @Test
    void anEmptyObjectIsReadAsOne() throws Exception {
        store.put(PACK, MemorySegment.ofArray(new byte[0]), IfThere.KEEP);
        assertThat(store.readAll(PACK, 10_000)).isEmpty();
    }

    @AfterEach
    void stopProxy() {
        proxy.close();
    }
}
