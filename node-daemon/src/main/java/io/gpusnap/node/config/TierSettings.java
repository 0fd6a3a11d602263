package io.gpusnap.node.config;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * Stores that this node shares with others.
 *
 * @param packBytes size of the objects that chunks are packed into
 * @param maxBytesPerSecond of all copies between tiers; empty for no bound
 * @param standStill how long a copy stands still for more urgent ones, in all, before it ends
 * @param keys what protects chunks and manifests there
 * @param peers with whom the node shares what it reads there
 */
public record TierSettings(
        Optional<Nfs> nfs,
        Optional<S3> s3,
        long packBytes,
        Optional<Long> maxBytesPerSecond,
        Duration standStill,
        TierKeySettings keys,
        PeerNetSettings peers) {

    /** A node that shares nothing. */
    public static TierSettings none() {
        return new TierSettings(
                Optional.empty(),
                Optional.empty(),
                64L << 20,
                Optional.empty(),
                Duration.ofHours(1),
                TierKeySettings.none(),
                PeerNetSettings.none());
    }

    /** @param root absolute */
    public record Nfs(String name, Path root, Duration deadline) {}

    /**
     * @param prefix "" or ending in a slash
     * @param endpoint empty: the region's own
     * @param credentials empty: from the environment
     * @param checksums whether checksums are added where the protocol does not ask for them
     */
    public record S3(
            String name,
            String bucket,
            String prefix,
            Optional<URI> endpoint,
            String region,
            List<String> allowedAddresses,
            Optional<S3Credentials> credentials,
            boolean pathStyle,
            boolean checksums,
            S3Encryption encryption,
            long partBytes,
            int connections,
            Duration timeout,
            int attempts) {

        public S3 {
            allowedAddresses = List.copyOf(allowedAddresses);
        }
    }
}
