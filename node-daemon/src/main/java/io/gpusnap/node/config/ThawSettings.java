package io.gpusnap.node.config;

/**
 * What a thaw does before what it is for is there.
 *
 * @param fillAhead device memory is made and filled while the process is made again
 * @param driverAhead the driver gives the process its context back while chunks are still read
 */
public record ThawSettings(boolean fillAhead, boolean driverAhead) {}
