package io.gpusnap.node.agent;

/**
 * Remembered with an operation that came from the service.
 *
 * @param epoch of the operation's latest claim
 */
public record Claim(long epoch, int leaseSeconds) {}
