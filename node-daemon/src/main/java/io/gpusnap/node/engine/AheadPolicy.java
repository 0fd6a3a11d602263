package io.gpusnap.node.engine;

/**
 * What a thaw does before what it is for is there.
 *
 * @param fill device memory is made and filled while the process is made again
 * @param driver the driver gives the process its context back while chunks are still read
 */
public record AheadPolicy(boolean fill, boolean driver) {

    public static final AheadPolicy DEFAULT = new AheadPolicy(true, false);
}
