package io.gpusnap.node.tier.s3;

import java.net.URI;
import java.time.Duration;
import java.util.Optional;

/**
 * @param prefix of every key, "" or ending in a slash
 * @param endpoint empty: the region's own
 * @param addresses that the endpoint's name may stand for
 * @param credentials empty: from the environment, as the AWS tools read it
 * @param pathStyle the bucket in the path, not in the host name
 * @param checksums whether the SDK adds checksums of its own where the protocol does not ask for them
 * @param encryption what the store is asked to do to objects at rest
 * @param partBytes of an upload's parts and of a download's ranges, 5 MiB to 64 MiB
 * @param connections at the same time
 * @param deadline of one request, its body included
 * @param attempts of one request
 */
public record S3Settings(
        String bucket,
        String prefix,
        Optional<URI> endpoint,
        String region,
        AddressRules addresses,
        Optional<Credentials> credentials,
        boolean pathStyle,
        Checksums checksums,
        Encryption encryption,
        int partBytes,
        int connections,
        Duration deadline,
        int attempts) {

    /** Some stores answer checksums that they do not know with an error, or keep them as content. */
    public enum Checksums {
        WHEN_REQUIRED,
        WHEN_SUPPORTED
    }

    /** Of the store's own, on top of ours. */
    public sealed interface Encryption {
        record None() implements Encryption {}

        record StoreKey() implements Encryption {}

        record KmsKey(String keyId) implements Encryption {}
    }

    public record Credentials(String accessKeyId, String secretAccessKey, Optional<String> sessionToken) {

        @Override
        public String toString() {
            return "credentials of " + accessKeyId;
        }
    }

    private static final int LEAST_PART_BYTES = 5 << 20;
    private static final int MOST_PART_BYTES = 64 << 20;

    public S3Settings {
        require(bucket.matches("[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"), "s3.bucket is no bucket's name: " + bucket);
        require(
                prefix.isEmpty() || prefix.matches("([A-Za-z0-9_-][A-Za-z0-9._-]*/)+"),
                "s3.prefix is empty or ends in a slash, and has no part that begins with a dot: " + prefix);
        require(
                partBytes >= LEAST_PART_BYTES && partBytes <= MOST_PART_BYTES,
                "s3.partBytes is 5 MiB to 64 MiB, not " + partBytes);
        endpoint.ifPresent(Clients::checked);
        require(connections >= 1, "s3.connections must be at least 1");
        require(attempts >= 1, "s3.attempts must be at least 1");
        require(deadline.isPositive(), "s3.timeoutSeconds must be at least 1");
    }

    private static void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new IllegalArgumentException(otherwise);
        }
    }

    /** Plain settings for an endpoint of one's own. */
    public static S3Settings of(String bucket, URI endpoint, AddressRules addresses, Credentials credentials) {
        return new S3Settings(
                bucket,
                "",
                Optional.of(endpoint),
                "us-east-1",
                addresses,
                Optional.of(credentials),
                true,
                Checksums.WHEN_REQUIRED,
                new Encryption.None(),
                16 << 20,
                16,
                Duration.ofSeconds(30),
                5);
    }
}
