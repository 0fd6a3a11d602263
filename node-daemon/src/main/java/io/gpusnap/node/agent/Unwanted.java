package io.gpusnap.node.agent;

import java.time.Instant;

/**
 * Remembered with an operation that ended well but whose outcome was refused because its epoch is over. It is kept for a
 * while: the service may hand the same operation out again, and then the outcome is reported instead of repeated.
 */
public record Unwanted(Instant since) {}
