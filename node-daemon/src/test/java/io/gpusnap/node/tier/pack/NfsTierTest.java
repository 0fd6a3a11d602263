package io.gpusnap.node.tier.pack;

import io.gpusnap.node.tier.ChunkTier;
import io.gpusnap.node.tier.ChunkTierContract;
import io.gpusnap.node.tier.nfs.NfsSettings;
import io.gpusnap.node.tier.nfs.NfsStore;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.io.TempDir;

class NfsTierTest extends ChunkTierContract {

    @TempDir
    Path root;

    @Override
    protected ChunkTier open() throws Exception {
        return new PackTier(
                PackSettings.of("nfs"),
                new NfsStore(NfsSettings.of(root, Duration.ofSeconds(20))),
                FrameSettings.none());
    }
}
