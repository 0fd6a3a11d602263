package io.gpusnap.node.store;

import java.util.List;

/**
 * What a container must have to take in a workload that was saved in another one.
 *
 * @param mounts where something was mounted in there, in order
 * @param pipes ends of pipes that lead out of the container: its logs
 * @param addresses of the container's network that the workload is bound to, besides wildcard and loopback
 * @param files of the container's own file systems that were written in there and that the workload has open or mapped
 */
public record ContainerPart(
        List<MountPoint> mounts, List<LogPipe> pipes, List<String> addresses, List<WrittenFile> files) {

    public ContainerPart {
        mounts = List.copyOf(mounts);
        pipes = List.copyOf(pipes);
        addresses = List.copyOf(addresses);
        files = List.copyOf(files);
    }

    /** @param type of the file system, such as overlay */
    public record MountPoint(String path, String type) {}

    /**
     * @param name as the process image has it, pipe:[4711]
     * @param descriptor of the container's first process that is the same pipe: 0, 1 or 2
     */
    public record LogPipe(String name, int descriptor) {}

    /**
     * @param image name of the host file that has its content
     * @param mode permission bits
     */
    public record WrittenFile(String path, String image, long sizeBytes, int mode, long uid, long gid) {}
}
