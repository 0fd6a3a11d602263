package io.gpusnap.node.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.node.tier.NvmeTier;
import io.gpusnap.node.tier.StoreRoot;
import io.gpusnap.node.tier.nfs.NfsSettings;
import io.gpusnap.node.tier.nfs.NfsStore;
import io.gpusnap.node.tier.pack.FrameSettings;
import io.gpusnap.node.tier.pack.PackSettings;
import io.gpusnap.node.tier.pack.PackTier;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ChunkSourcesTest {

    @TempDir
    Path folder;

    private PackTier tier(String name) {
        return new PackTier(
                PackSettings.of(name),
                new NfsStore(NfsSettings.of(folder, Duration.ofSeconds(20))),
                FrameSettings.none());
    }

    private static List<String> names(ChunkSources sources) {
        return sources.shared().stream().map(PackTier::name).toList();
    }

    @Test
    void whatIsNamedComesFirstInItsOrderAndTheRestAsItWas() throws Exception {
        try (NvmeTier nvme = new NvmeTier(StoreRoot.open(folder.resolve("nvme")), 0);
                PackTier near = tier("near");
                PackTier far = tier("far");
                PackTier other = tier("other")) {
            ChunkSources sources = ChunkSources.of(nvme, List.of(near, far, other));

            assertThat(names(sources.preferring(List.of("other", "nvme", "far"))))
                    .containsExactly("other", "far", "near");
            assertThat(names(sources.preferring(List.of()))).containsExactly("near", "far", "other");
            assertThat(names(sources.preferring(List.of("unknown")))).containsExactly("near", "far", "other");
        }
    }
}
