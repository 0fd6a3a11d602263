package io.gpusnap.service.forecast.backtest;

/**
 * The simulated machines, all alike. A replica takes one slot.
 *
 * @param fastBytes of each node's fast tier
 * @param bytesPerSecond at which a snapshot comes into it
 */
public record Fleet(int nodes, int slotsPerNode, long fastBytes, long bytesPerSecond) {}
