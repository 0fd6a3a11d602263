package io.gpusnap.node.criu;

import java.nio.file.Path;
import java.util.List;

/**
 * Where CRIU runs when it does not run beside the daemon: in a container, in the namespaces and control groups of its first
 * process. CRIU then sees a plain process of a plain machine, and needs no images of namespaces.
 *
 * @param enter gpusnap-enter
 * @param init the container's first process, as the daemon has it
 * @param startTimeTicks of that
 * @param taskId an id for CRIU itself in there, far from those that it restores
 * @param pipes outside ends that a restored process gets from the container
 */
public record Enclosure(Path enter, int init, long startTimeTicks, int taskId, List<Pipe> pipes) {

    public Enclosure {
        pipes = List.copyOf(pipes);
    }

    /**
     * @param name as the image has it, pipe:[4711]
     * @param descriptor of the container's first process, which takes its place
     */
    public record Pipe(String name, int descriptor) {}
}
