package io.gpusnap.node.config;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Optional;

/**
 * How this node deals with other nodes.
 *
 * @param listen where they ask it; empty: it neither serves nor asks
 * @param address host and port as they reach it; empty: that of {@code listen}
 * @param maxBytesPerSecond of what it serves; empty for no bound
 * @param timeout of one request with its body
 * @param bufferBytes of chunks that it read for others as well
 */
public record PeerNetSettings(
        Optional<InetSocketAddress> listen,
        Optional<String> address,
        int connections,
        Optional<Long> maxBytesPerSecond,
        Duration timeout,
        long bufferBytes) {

    /** A node that is by itself. */
    public static PeerNetSettings none() {
        return new PeerNetSettings(
                Optional.empty(), Optional.empty(), 16, Optional.empty(), Duration.ofSeconds(10), 256L << 20);
    }
}
