package io.gpusnap.node.peer;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Optional;

/**
 * How this node serves other nodes and asks them.
 *
 * @param listen empty: it neither serves nor asks
 * @param address where others reach it, host and port; empty: the one it listens on
 * @param tenant whose chunks these are: nodes of other tenants get none
 * @param connections requests that are served at the same time
 * @param mostBytesPerSecond of what is served; 0 for no bound
 * @param timeout of a request with its body, here and at others: what takes longer comes from the store, and whoever is that slow
 *     to ask or to read is cut off
 * @param bufferBytes of chunks that were read for others as well and are in no pool
 */
public record PeerSettings(
        Optional<InetSocketAddress> listen,
        Optional<String> address,
        String tenant,
        int connections,
        long mostBytesPerSecond,
        Duration timeout,
        long bufferBytes) {

    public static PeerSettings none() {
        return new PeerSettings(
                Optional.empty(), Optional.empty(), "default", 16, 0, Duration.ofSeconds(10), 64L << 20);
    }
}
