package io.gpusnap.node.process;

/**
 * A mount as a process sees it.
 *
 * @param point where, in the process's own root
 * @param type of the file system, such as overlay or tmpfs
 * @param readOnly nothing can be written through it
 */
public record Mount(String point, String type, boolean readOnly) {}
