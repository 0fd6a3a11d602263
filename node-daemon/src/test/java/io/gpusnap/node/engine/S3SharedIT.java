package io.gpusnap.node.engine;

import io.gpusnap.node.tier.blob.BlobInfo;
import io.gpusnap.node.tier.blob.BlobKey;
import io.gpusnap.node.tier.blob.BlobStore.IfThere;
import io.gpusnap.node.tier.pack.PackSettings;
import io.gpusnap.node.tier.s3.S3Server;
import io.gpusnap.node.tier.s3.S3Store;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

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
}
