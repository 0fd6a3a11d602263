package io.gpusnap.node.engine;

import java.util.UUID;

/**
 * Which copy an operation makes, and since when. Names in a shared store are made of it.
 *
 * @param uptimeNanos of the daemon's clock when it began; of no use to another daemon
 */
record TransferCopy(UUID copy, long uptimeNanos) {}
