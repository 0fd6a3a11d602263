package io.gpusnap.node.engine;

import io.gpusnap.node.tier.nfs.NfsSettings;
import io.gpusnap.node.tier.pack.PackSettings;
import io.gpusnap.node.tier.s3.S3Server;
import io.gpusnap.node.tier.s3.S3Settings;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * A shared store by what a command line can say of it: {@code nfs ROOT}, or {@code s3 ENDPOINT BUCKET [in-order]}, where the last word
 * asks for small parts, one after another.
 */
final class SharedPlace {

    private static final long PACK_BYTES = 16L << 20;

    private SharedPlace() {}

    static SharedTiers of(List<String> words) {
        return switch (words.getFirst()) {
            case "nfs" -> new SharedTiers(Optional.of(nfs(Path.of(words.get(1)))), Optional.empty(), 0);
            case "s3" ->
                new SharedTiers(
                        Optional.empty(),
                        Optional.of(new SharedTiers.S3(
                                new PackSettings("s3", PACK_BYTES),
                                words.size() == 3 ? s3(words) : inOrder(s3(words)))),
                        0);
            default -> throw new IllegalArgumentException(words.getFirst());
        };
    }

    static SharedTiers.Nfs nfs(Path root) {
        return new SharedTiers.Nfs(new PackSettings("nfs", PACK_BYTES), NfsSettings.of(root, Duration.ofSeconds(60)));
    }

    private static S3Settings s3(List<String> words) {
        return S3Server.settings(words.get(2), URI.create(words.get(1)));
    }

    private static S3Settings inOrder(S3Settings plain) {
        return S3Server.asking(plain, 5 << 20, 1, plain.deadline(), plain.attempts());
    }
}
