package io.gpusnap.node.process;

import java.util.List;

/**
 * A mount as a process sees it.
 *
 * @param point where, in the process's own root
 * @param type of the file system, such as overlay or tmpfs
 * @param readOnly nothing can be written through it
 * @param source what its maker called it, where it lies on no device
 * @param options of the file system, as the kernel lists them
 */
public record Mount(String point, String type, boolean readOnly, String source, List<String> options) {

    public Mount {
        options = List.copyOf(options);
    }
}
