package io.gpusnap.node.tier.pack;

/**
 * An object of a shared store, as who counts references is told of it.
 *
 * @param name its key in the store
 */
public record SharedObject(String name, long sizeBytes) {}
