package io.gpusnap.node.engine;

/**
 * Something this node was probed for.
 *
 * @param reason what was found, or what is missing and how to get it
 */
public record Capability(String name, boolean available, String reason) {}
