package io.gpusnap.node.engine;

import io.gpusnap.node.file.Folders;
import io.gpusnap.node.process.Mount;
import io.gpusnap.node.process.ProcFs;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A tmpfs with huge pages over scratch.dir: CRIU writes a process to it while that stands still, and most of the time goes
 * into making pages. It is this daemon's own, so that no other file system's pages change.
 *
 * <p>It is opened and closed while the node's store is held: of one node nobody else has it then. One that a daemon left that was
 * killed is taken as it is, for images of operations that are not at their end lie on it. Where it cannot be mounted the folder
 * serves as it is, and the capability tells why.
 */
final class ScratchMount implements AutoCloseable {

    static final String CAPABILITY = "huge-scratch";

    /** By which one of ours is known from one that an administrator mounted there. */
    static final String SOURCE = "gpusnap-scratch";

    private static final Logger LOG = LoggerFactory.getLogger(ScratchMount.class);
    private static final String TMPFS = "tmpfs";
    private static final String WITHIN_SIZE = "huge=within_size";
    /** An administrator may know his machine better. */
    private static final List<String> HUGE = List.of(WITHIN_SIZE, "huge=always");

    private static final Path KERNELS_WORD = Path.of("/sys/kernel/mm/transparent_hugepage/shmem_enabled");
    /** Of the tmpfs below: a pool whose file has holes may be larger than that. */
    private static final int LEAST_SHARE = 8;

    private static final int CAP_SYS_ADMIN = 21;

    private final Path folder;
    private final Mounter mounter;
    private final Capability capability;

    private ScratchMount(Path folder, Mounter mounter, Capability capability) {
        this.folder = folder;
        this.mounter = mounter;
        this.capability = capability;
    }

    /** @param settings the scratch folder and the pool's are there */
    static ScratchMount open(EngineSettings settings, Mounter mounter) throws IOException {
        Path folder = settings.scratchDir().toRealPath();
        if (!settings.scratchHugePages()) {
            takeDown(folder, mounter);
            return new ScratchMount(folder, mounter, off());
        }
        Capability capability =
                at(folder).filter(ScratchMount::isHuge).isPresent() ? there(folder) : mount(settings, folder, mounter);
        if (!capability.available()) {
            LOG.atWarn()
                    .addKeyValue("path", folder)
                    .addKeyValue("reason", capability.reason())
                    .log("scratch has no huge pages, dumps take longer");
        }
        return new ScratchMount(folder, mounter, capability);
    }

    /** Mounts nothing. */
    static Capability look(EngineSettings settings) {
        if (!settings.scratchHugePages()) {
            return off();
        }
        Path folder = settings.scratchDir();
        if (at(folder).filter(ScratchMount::isHuge).isPresent()) {
            return there(folder);
        }
        return mayMount()
                ? new Capability(CAPABILITY, true, "mounted at " + folder + " once there is work")
                : plain("to mount a tmpfs at " + folder + " takes CAP_SYS_ADMIN, as root has it outside of containers");
    }

    private static boolean mayMount() {
        return new ProcFs()
                .status((int) ProcessHandle.current().pid(), "CapEff")
                .filter(set -> (Long.parseUnsignedLong(set, 16) >> CAP_SYS_ADMIN & 1) == 1)
                .isPresent();
    }

    Capability capability() {
        return capability;
    }

    /** Takes down what is ours and empty; images of operations that go on later stay. */
    @Override
    public void close() {
        takeDown(folder, mounter);
    }

    private static Capability mount(EngineSettings settings, Path folder, Mounter mounter) throws IOException {
        if (!isEmpty(folder)) {
            return plain(folder + " is not empty, and what is in it would be hidden: mounted when it is");
        }
        long sizeBytes = sizeBytes(settings, folder);
        String options = "mode=0700,%s%s".formatted(WITHIN_SIZE, sizeBytes > 0 ? ",size=" + sizeBytes : "");
        try {
            mounter.mount(SOURCE, folder, options);
        } catch (FileSystemException e) {
            return plain("cannot mount a tmpfs with " + options + " at " + folder + ": " + e.getReason()
                    + " (or set scratch.hugePages = false)");
        }
        return there(folder);
    }

    /**
     * Scratch may take what it could take before: a pool on the same tmpfs no longer counts against it there, so it does here.
     *
     * @return 0: the kernel's default, half of the memory
     */
    private static long sizeBytes(EngineSettings settings, Path folder) {
        try {
            FileStore below = Files.getFileStore(folder);
            if (!below.type().equals(TMPFS)) {
                return 0;
            }
            long total = below.getTotalSpace();
            boolean withPool = Files.getFileStore(settings.poolPath()).equals(below);
            return withPool ? Math.max(total - settings.poolBytes(), total / LEAST_SHARE) : total;
        } catch (IOException e) {
            LOG.atWarn().addKeyValue("path", folder).log("nobody knows its size: " + e.getMessage());
            return 0;
        }
    }

    private static void takeDown(Path folder, Mounter mounter) {
        try {
            if (at(folder).filter(ScratchMount::isOurs).isPresent() && isEmpty(folder)) {
                mounter.unmount(folder);
            }
        } catch (IOException e) {
            LOG.atWarn().addKeyValue("path", folder).log("it stays mounted: " + e.getMessage());
        }
    }

    /** The last one is the one that is seen. */
    private static Optional<Mount> at(Path folder) {
        String point = escaped(folder.toString());
        return new ProcFs()
                .mounts((int) ProcessHandle.current().pid()).stream()
                        .filter(mount -> mount.point().equals(point))
                        .reduce((earlier, later) -> later);
    }

    /** As the kernel writes names into its table. */
    private static String escaped(String path) {
        return path.replace("\\", "\\134")
                .replace(" ", "\\040")
                .replace("\t", "\\011")
                .replace("\n", "\\012");
    }

    /** Also for those who list what a workload sees mounted: this is no part of it. */
    static boolean isOurs(Mount mount) {
        return mount.source().equals(SOURCE) && mount.type().equals(TMPFS);
    }

    private static boolean isHuge(Mount mount) {
        return mount.type().equals(TMPFS) && mount.options().stream().anyMatch(HUGE::contains);
    }

    private static boolean isEmpty(Path folder) throws IOException {
        return Folders.list(folder).isEmpty();
    }

    private static Capability there(Path folder) {
        String options =
                at(folder).map(mount -> String.join(",", mount.options())).orElse("");
        return denied()
                ? plain("%s is mounted (%s), but %s says deny".formatted(folder, options, KERNELS_WORD))
                : new Capability(CAPABILITY, true, "tmpfs at %s (%s)".formatted(folder, options));
    }

    private static boolean denied() {
        try {
            return Files.readString(KERNELS_WORD).contains("[deny]");
        } catch (IOException e) {
            return false; // a kernel that has no such file has no such word either
        }
    }

    private static Capability plain(String reason) {
        return new Capability(CAPABILITY, false, reason);
    }

    private static Capability off() {
        return plain("switched off (scratch.hugePages = false)");
    }
}
