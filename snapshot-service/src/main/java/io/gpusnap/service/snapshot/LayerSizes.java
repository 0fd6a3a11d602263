package io.gpusnap.service.snapshot;

/**
 * What of a snapshot is its own. Zeros and repetitions count nowhere.
 *
 * @param uniqueBytes of chunks that no other snapshot names: what its deletion frees in a store that has all of them
 * @param sharedBytes of chunks that others name too
 */
public record LayerSizes(long uniqueBytes, long sharedBytes) {}
