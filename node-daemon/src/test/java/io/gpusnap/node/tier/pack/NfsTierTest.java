package io.gpusnap.node.tier.pack;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.node.tier.ChunkTier;
import io.gpusnap.node.tier.ChunkTierContract;
import io.gpusnap.node.tier.nfs.FaultyFiles;
import io.gpusnap.node.tier.nfs.NfsSettings;
import io.gpusnap.node.tier.nfs.NfsStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;

class NfsTierTest extends ChunkTierContract {

    @TempDir
    Path root;

    @Override
    protected ChunkTier open() throws Exception {
        return on(new NfsStore(NfsSettings.of(root, Duration.ofSeconds(20))));
    }

    private static PackTier on(NfsStore store) {
        return new PackTier(PackSettings.of("nfs"), store, FrameSettings.none());
    }

    @Override
    protected ChunkTier open(Middle middle) throws Exception {
        FaultyFiles files = new FaultyFiles();
        PackTier tier = on(files.store(root));
        tier.storeId();
        files.middle(middle::reached);
        return tier;
    }

    /** Another node. */
    @Override
    protected ChunkTier reader(ChunkTier writing) throws Exception {
        return open();
    }

    @Override
    protected ChunkTier afterAKill() throws Exception {
        return open();
    }

    @Override
    protected void assertHoldsNothing() throws Exception {
        try (Stream<Path> files = Files.walk(root)) {
            assertThat(files.filter(Files::isRegularFile)).containsExactly(root.resolve("gpusnap-store.json"));
        }
    }
}
