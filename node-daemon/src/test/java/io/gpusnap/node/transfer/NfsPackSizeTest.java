package io.gpusnap.node.transfer;

import io.gpusnap.node.tier.blob.BlobStore;
import io.gpusnap.node.tier.nfs.NfsSettings;
import io.gpusnap.node.tier.nfs.NfsStore;
import java.nio.file.Files;
import java.time.Duration;

class NfsPackSizeTest extends PackSizeContract {

    @Override
    BlobStore store() throws Exception {
        return new NfsStore(NfsSettings.of(Files.createDirectories(folder.resolve("share")), Duration.ofSeconds(60)));
    }
}
