package io.gpusnap.node.peer;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Collection;
import java.util.Comparator;
import java.util.Optional;

/**
 * Which node reads which stretch of a store: of those that take part the one with the highest score for it (rendezvous
 * hashing). Nodes that know the same participants agree without a word, and one that comes or goes changes the home of its own
 * share only. A score is the first 8 bytes, big endian and unsigned, of SHA-256 over node id, a space, and the window.
 */
final class Homes {

    private Homes() {}

    static Optional<String> of(String window, Collection<String> nodes) {
        return nodes.stream()
                .max(Comparator.<String, Long>comparing(node -> score(node, window), Long::compareUnsigned)
                        .thenComparing(Comparator.naturalOrder()));
    }

    static long score(String node, String window) {
        try {
            byte[] digest =
                    MessageDigest.getInstance("SHA-256").digest((node + " " + window).getBytes(StandardCharsets.UTF_8));
            return ByteBuffer.wrap(digest).getLong();
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
