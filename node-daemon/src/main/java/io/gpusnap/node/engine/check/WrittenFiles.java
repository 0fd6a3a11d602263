package io.gpusnap.node.engine.check;

import io.gpusnap.gpu.Descriptor;
import io.gpusnap.node.process.Container;
import io.gpusnap.node.process.Mount;
import io.gpusnap.node.process.OpenFd;
import io.gpusnap.node.process.ProcFs;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.store.ContainerPart;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * Files of a container's own file systems that are not as its image has them, and that a workload has open or mapped: another
 * container of the same image lacks them. Those of volumes are the volumes' business.
 *
 * <p>Written in the container is what has changed since its first process started. An image is unpacked before that.
 */
public final class WrittenFiles {

    /** Such as CRIU's ghosts: what is more belongs on a volume. */
    public static final long MOST_BYTES = 1L << 30;

    private static final String IMAGE = "gpusnap-rootfs-%d.img";
    private static final int TICKS_A_SECOND = 100;

    private final ProcFs proc;
    private final Container container;

    public WrittenFiles(ProcFs proc, Container container) {
        this.proc = proc;
        this.container = container;
    }

    /** Those that a tree of processes has, each with the name that its content is to have among the images. */
    public List<ContainerPart.WrittenFile> of(List<ProcessId> tree) throws IOException {
        List<Mount> mounts = proc.mounts(container.init().pid());
        Set<String> paths = new LinkedHashSet<>();
        for (ProcessId process : tree) {
            for (OpenFd fd : proc.descriptors(process.pid())) {
                // What a process only writes is made ready by other means, without its content.
                if (fd.isPath()
                        && !fd.isDeleted()
                        && (fd.mode().equals("r") || fd.mode().equals("rw"))) {
                    paths.add(fd.target());
                }
            }
            paths.addAll(proc.mappedFiles(process.pid()));
        }
        long started = startSeconds();
        List<ContainerPart.WrittenFile> written = new ArrayList<>();
        for (String path : paths) {
            if (isOwn(path, mounts)) {
                look(path, started, IMAGE.formatted(written.size()), written);
            }
        }
        return written;
    }

    private void look(String path, long started, String image, List<ContainerPart.WrittenFile> written)
            throws IOException {
        try (Descriptor file = open(path)) {
            FileFacts facts = FileFacts.of(file.path());
            if (facts.isRegular() && facts.changed().to(TimeUnit.SECONDS) >= started) {
                written.add(new ContainerPart.WrittenFile(
                        path, image, facts.sizeBytes(), facts.permissions(), facts.uid(), facts.gid()));
            }
        } catch (NoSuchFileException e) {
            // Only a descriptor keeps it: CRIU carries what has no name.
        }
    }

    /** Copies their content to where the images are. Nothing of the workload may run. */
    public void copy(List<ContainerPart.WrittenFile> files, Path images) throws IOException {
        for (ContainerPart.WrittenFile file : files) {
            try (Descriptor source = open(file.path())) {
                Files.copy(source.path(), images.resolve(file.image()), StandardCopyOption.REPLACE_EXISTING);
            }
        }
    }

    private long startSeconds() {
        return proc.bootSeconds() + container.init().startTimeTicks() / TICKS_A_SECOND;
    }

    /**
     * The root, and what is in memory: both begin empty, or as the image says, in the next container. Not what is read-only in
     * here: secrets are mounted that way.
     */
    private static boolean isOwn(String path, List<Mount> mounts) {
        Mount best = new Mount("", "", true, "", List.of());
        for (Mount mount : mounts) {
            String point = mount.point();
            boolean below = point.equals("/") || path.equals(point) || path.startsWith(point + "/");
            if (below && point.length() >= best.point().length()) {
                best = mount;
            }
        }
        return !best.readOnly() && (best.point().equals("/") || best.type().equals("tmpfs"));
    }

    /** The kernel names open and mapped files without links. */
    private Descriptor open(String path) throws IOException {
        return Fingerprints.under(proc.of(container.init().pid()).resolve("root"), Path.of(path));
    }
}
