package io.gpusnap.bench.store;

import io.gpusnap.node.tier.s3.AddressRules;
import io.gpusnap.node.tier.s3.S3Settings;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * @param root of the node's store
 * @param threads of each transfer; the daemon's own default where it is not said
 * @param compress as nvme.compress
 */
record Settings(Path root, int threads, boolean compress, Optional<S3Settings> s3) {

    private static final int MOST_DEFAULT_THREADS = 8;

    static Settings parse(String[] arguments) {
        Path root = Path.of("store");
        int threads = Math.min(MOST_DEFAULT_THREADS, Runtime.getRuntime().availableProcessors());
        boolean compress = false;
        Optional<S3Settings> s3 = Optional.empty();
        for (String argument : arguments) {
            String[] parts = argument.split("=", 2);
            switch (parts[0]) {
                case "--root" -> root = Path.of(parts[1]);
                case "--threads" -> threads = Integer.parseInt(parts[1]);
                case "--compress" -> compress = true;
                case "--s3" -> s3 = Optional.of(s3(parts[1].split(",")));
                default -> throw new IllegalArgumentException("unknown: " + argument);
            }
        }
        return new Settings(root, threads, compress, s3);
    }

    /** As {@code endpoint,bucket,connections,part bytes,access key,secret key}. */
    private static S3Settings s3(String[] parts) {
        return new S3Settings(
                parts[1],
                "",
                Optional.of(URI.create(parts[0])),
                "us-east-1",
                AddressRules.allowing(List.of("127.0.0.0/8")),
                Optional.of(new S3Settings.Credentials(parts[4], parts[5], Optional.empty())),
                true,
                S3Settings.Checksums.WHEN_REQUIRED,
                new S3Settings.Encryption.None(),
                Integer.parseInt(parts[3]),
                Integer.parseInt(parts[2]),
                Duration.ofSeconds(60),
                5);
    }
}
