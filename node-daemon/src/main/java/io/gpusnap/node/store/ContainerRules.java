package io.gpusnap.node.store;

import static io.gpusnap.node.store.ManifestRules.plainPath;
import static io.gpusnap.node.store.ManifestRules.require;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/** What a manifest's container part must satisfy. */
final class ContainerRules {

    private static final Pattern PIPE = Pattern.compile("pipe:\\[[0-9]{1,20}]");
    private static final int LAST_STANDARD_DESCRIPTOR = 2;

    private ContainerRules() {}

    static void check(ContainerPart container, List<Manifest.HostFile> images) throws ManifestException {
        for (ContainerPart.MountPoint mount : container.mounts()) {
            require(plainPath(mount.path()), "container.mounts has a path that is not absolute and plain");
        }
        for (ContainerPart.LogPipe pipe : container.pipes()) {
            require(PIPE.matcher(pipe.name()).matches(), "container.pipes has a name that is none of a pipe");
            require(
                    pipe.descriptor() >= 0 && pipe.descriptor() <= LAST_STANDARD_DESCRIPTOR,
                    "container.pipes has descriptor " + pipe.descriptor());
        }
        Set<String> paths = new HashSet<>();
        for (ContainerPart.WrittenFile file : container.files()) {
            require(plainPath(file.path()), "container.files has a path that is not absolute and plain");
            require(paths.add(file.path()), "container.files names a path twice");
            require(file.mode() >= 0 && file.mode() <= 0777, "container.files has no permission bits");
            require(file.uid() >= 0 && file.gid() >= 0, "container.files has no owner");
            require(
                    images.stream()
                            .anyMatch(image ->
                                    image.name().equals(file.image()) && image.sizeBytes() == file.sizeBytes()),
                    "container.files names a content that is not there");
        }
    }
}
