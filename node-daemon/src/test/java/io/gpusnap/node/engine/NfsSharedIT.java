package io.gpusnap.node.engine;

import io.gpusnap.node.tier.nfs.NfsSettings;
import io.gpusnap.node.tier.pack.PackSettings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

class NfsSharedIT extends SharedTierContract {

    @Override
    String tier() {
        return "nfs";
    }

    @Override
    SharedTiers shared() throws Exception {
        Path root = Files.createDirectories(folder.resolve("share"));
        return new SharedTiers(
                Optional.of(new SharedTiers.Nfs(
                        new PackSettings("nfs", 16L << 20), NfsSettings.of(root, Duration.ofSeconds(60)))),
                Optional.empty(),
                0);
    }

    /** In the middle of each chunk: all bytes of a pack are some chunk's. */
    @Override
    void spoilPacks() throws Exception {
        Path packs = folder.resolve("share/packs");
        try (var files = Files.walk(packs)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                byte[] bytes = Files.readAllBytes(file);
                for (int i = 0; i < bytes.length; i += 4096) {
                    bytes[i] ^= 1;
                }
                Files.write(file, bytes);
            }
        }
    }
}
