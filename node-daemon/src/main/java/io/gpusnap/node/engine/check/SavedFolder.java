package io.gpusnap.node.engine.check;

import io.gpusnap.gpu.Descriptor;
import io.gpusnap.node.file.Folders;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.store.Manifest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;

/**
 * A folder by the path that a saved process had for it. The path is the workload's word, and the daemon is root: no link is
 * followed, each folder on the way belongs to root or to the process's user and no stranger can rename what is in it, and
 * what is reached stays the same whatever is renamed meanwhile.
 */
final class SavedFolder implements AutoCloseable {

    private static final int GROUP_WRITES = 0020;
    private static final int OTHERS_WRITE = 0002;
    private static final int OWNER_WRITES = 0200;

    /** Links of root's that lead to links are followed no further than this. */
    private static final int MOST_LINKS = 20;

    private final Path path;
    private final Manifest.ProcessImage process;
    private final Descriptor descriptor;

    private SavedFolder(Path path, Manifest.ProcessImage process, Descriptor descriptor) {
        this.path = path;
        this.process = process;
        this.descriptor = descriptor;
    }

    /**
     * The kernel names open files without links, so a link on the way is new.
     *
     * @param root below which the path begins: the node's own, or that of a container
     * @throws StageException PATH_MISSING when the way to it cannot be trusted
     * @throws NoSuchFileException when it is not there
     */
    static SavedFolder ofFile(Path root, Path folder, Manifest.ProcessImage process)
            throws StageException, IOException {
        return walk(root, folder, process, false, 0);
    }

    /**
     * As {@link #ofFile}, but a socket's path is as its process wrote it: links in root's own folders, such as /var/run, are
     * followed.
     *
     * @param make whether folders that are missing are made, for the process's user only
     */
    static SavedFolder ofSocket(Path root, Path folder, Manifest.ProcessImage process, boolean make)
            throws StageException, IOException {
        return walk(root, folder, process, make, MOST_LINKS);
    }

    /** @param links how many of root's own it may follow */
    private static SavedFolder walk(Path root, Path folder, Manifest.ProcessImage process, boolean make, int links)
            throws StageException, IOException {
        SavedFolder at = new SavedFolder(Path.of("/"), process, Descriptor.of(root));
        try {
            at.requireTrusted();
            for (Path name : folder) {
                SavedFolder next = at.step(name.toString(), make);
                boolean rootLink =
                        links > 0 && FileFacts.of(at.descriptor.path()).uid() == 0 && next.isLinkOfRoot();
                if (rootLink) {
                    // Walked from the beginning, below the same root: it may lead anywhere there, and nowhere else.
                    Path target = Files.readSymbolicLink(at.descriptor.path().resolve(name));
                    Path rest = next.path.relativize(folder);
                    Path way = at.path.resolve(target).resolve(rest).normalize();
                    next.close();
                    at.close();
                    return walk(root, way, process, make, links - 1);
                }
                at.close();
                at = next;
                at.requireTrusted();
            }
            return at;
        } catch (StageException | IOException | RuntimeException e) {
            at.close();
            throw e;
        }
    }

    private boolean isLinkOfRoot() throws IOException {
        FileFacts facts = FileFacts.of(descriptor.path());
        return facts.isLink() && facts.uid() == 0;
    }

    private SavedFolder step(String name, boolean make) throws StageException, IOException {
        Path next = path.resolve(name);
        try {
            return new SavedFolder(next, process, descriptor.look(name));
        } catch (NoSuchFileException missing) {
            if (!make) {
                throw missing;
            }
        }
        requireWritable("folder " + next);
        Files.createDirectory(
                descriptor.path().resolve(name),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        SavedFolder made = new SavedFolder(next, process, descriptor.look(name));
        try {
            made.giveToProcess();
            return made;
        } catch (StageException | IOException | RuntimeException e) {
            made.close();
            throw e;
        }
    }

    /** Its parent's owner may have put another folder in its place already: only an empty one changes hands. */
    private void giveToProcess() throws StageException, IOException {
        if (!FileFacts.of(descriptor.path()).isFolder()) {
            throw refused("is not the folder that was just made");
        }
        if (!Folders.list(descriptor.path().resolve(".")).isEmpty()) {
            throw refused("is not the folder that was just made");
        }
        own(descriptor, (int) process.uid(), (int) process.gid());
    }

    static void own(Descriptor file, int uid, int gid) throws IOException {
        Files.setAttribute(file.path(), "unix:uid", uid);
        Files.setAttribute(file.path(), "unix:gid", gid);
    }

    private void requireTrusted() throws StageException, IOException {
        FileFacts facts = FileFacts.of(descriptor.path());
        if (facts.isLink()) {
            throw refused("is a symbolic link");
        }
        if (!facts.isFolder()) {
            throw refused("is not a folder");
        }
        if (facts.uid() != 0 && facts.uid() != process.uid()) {
            throw refused("belongs to uid " + facts.uid());
        }
        boolean group = (facts.mode() & GROUP_WRITES) != 0 && facts.gid() != 0 && facts.gid() != process.gid();
        boolean others = (facts.mode() & OTHERS_WRITE) != 0;
        if ((group || others) && !facts.isSticky()) {
            throw refused("can be written to by other users (mode %04o, gid %d)"
                    .formatted(facts.mode() & 07777, facts.gid()));
        }
    }

    /** What the process's user could not make here is not made for it. */
    void requireWritable(String what) throws StageException, IOException {
        FileFacts facts = FileFacts.of(descriptor.path());
        boolean may = process.uid() == 0
                || (facts.uid() == process.uid() && (facts.mode() & OWNER_WRITES) != 0)
                || (facts.gid() == process.gid() && (facts.mode() & GROUP_WRITES) != 0)
                || (facts.mode() & OTHERS_WRITE) != 0;
        if (!may) {
            throw new StageException(
                    FailureCode.PATH_MISSING,
                    ("the snapshot's %s is not as it was saved, and the process's uid %d may not make it again in %s,"
                                    + " which belongs to uid %d (mode %04o): put it back by hand, or give that user the"
                                    + " folder")
                            .formatted(what, process.uid(), path, facts.uid(), facts.mode() & 07777));
        }
    }

    StageException refused(String finding) {
        return refused(path, finding);
    }

    StageException refused(Path what, String finding) {
        return new StageException(
                FailureCode.PATH_MISSING,
                ("the snapshot's process wrote through %s as uid %d; on this node it %s: every folder on the way must be"
                                + " a real one of root or of that user, which no other user can write to")
                        .formatted(what, process.uid(), finding));
    }

    Descriptor descriptor() {
        return descriptor;
    }

    @Override
    public void close() {
        descriptor.close();
    }
}
