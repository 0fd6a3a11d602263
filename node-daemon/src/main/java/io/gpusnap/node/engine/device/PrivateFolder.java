package io.gpusnap.node.engine.device;

import io.gpusnap.node.process.ProcFs;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.Objects;

/**
 * A folder that memory of processes goes through: its default lies in a place where every user may make folders, so one that
 * somebody else made first must not be taken for ours. Nobody but root and this process's user may be able to change what
 * its path leads to.
 */
public final class PrivateFolder {

    private static final int TYPE = 0170000;
    private static final int FOLDER = 0040000;
    private static final int LINK = 0120000;
    private static final int REGULAR = 0100000;
    private static final int STICKY = 01000;
    private static final int OTHERS_WRITE = 0022;

    private final String property;
    private final Path folder;
    private final int self;

    private PrivateFolder(String property, Path folder, int self) {
        this.property = property;
        this.folder = folder;
        this.self = self;
    }

    /**
     * Makes the folder where it is missing, for its owner only.
     *
     * @param property the setting that a refusal names
     * @throws UnsafeFolderException when another user could read or replace what will be written there
     */
    public static void prepare(String property, Path folder) throws IOException {
        new PrivateFolder(property, folder, ownUid()).follow(folder, true);
    }

    /** As {@link #prepare} for the folder of a file, which need not exist; one that does must be ours alone. */
    public static void prepareFor(String property, Path file) throws IOException {
        Path folder = file.toAbsolutePath().getParent();
        if (folder == null) {
            throw new UnsafeFolderException(property, file, "it is no file", "set it to a file in a folder of its own");
        }
        prepare(property, folder);
        if (Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
            new PrivateFolder(property, file, ownUid()).requireOwnFile();
        }
    }

    private void follow(Path path, boolean last) throws IOException {
        Path absolute = path.toAbsolutePath();
        Path at = absolute.getRoot();
        for (Path name : absolute) {
            at = at.resolve(name);
            make(at);
            Map<String, Object> found = look(at);
            int mode = number(found, "mode");
            requireOwner(at, number(found, "uid"), last && at.equals(absolute));
            if ((mode & TYPE) == LINK && !at.equals(absolute)) {
                // A link that root or we made is a decision; where it leads must be as safe.
                at = at.toRealPath();
                follow(at, false);
            } else {
                requireMode(at, mode, last && at.equals(absolute));
            }
        }
    }

    private static void make(Path path) throws IOException {
        if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
            try {
                Files.createDirectory(
                        path, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            } catch (FileAlreadyExistsException e) {
                // Somebody was faster; whose it is will be seen.
            }
        }
    }

    private void requireOwner(Path at, int uid, boolean last) throws UnsafeFolderException {
        if (uid != self && (last || uid != 0)) {
            throw refused(at, "belongs to uid " + uid + ", not to uid " + self, "remove it");
        }
    }

    private void requireMode(Path at, int mode, boolean last) throws UnsafeFolderException {
        if ((mode & TYPE) != FOLDER) {
            throw refused(at, "is not a real folder", "remove it");
        }
        boolean othersWrite = (mode & OTHERS_WRITE) != 0;
        if (othersWrite && (last || (mode & STICKY) == 0)) {
            throw refused(at, "can be written to by other users (mode %04o)".formatted(mode & 07777), "chmod go-w it");
        }
    }

    private void requireOwnFile() throws IOException {
        Map<String, Object> found = look(folder);
        int mode = number(found, "mode");
        int uid = number(found, "uid");
        if ((mode & TYPE) != REGULAR) {
            throw refused(folder, "is not a regular file", "remove it");
        }
        if (uid != self) {
            throw refused(folder, "belongs to uid " + uid + ", not to uid " + self, "remove it");
        }
        if ((mode & OTHERS_WRITE) != 0) {
            throw refused(folder, "can be written to by other users (mode %04o)".formatted(mode & 07777), "remove it");
        }
    }

    private UnsafeFolderException refused(Path at, String finding, String mend) {
        return new UnsafeFolderException(
                property,
                folder,
                (at.equals(folder) ? "it " : at + " ") + finding,
                mend + ", or set " + property + " to a place that is this user's alone");
    }

    private static Map<String, Object> look(Path path) throws IOException {
        return Files.readAttributes(path, "unix:mode,uid", LinkOption.NOFOLLOW_LINKS);
    }

    private static int number(Map<String, Object> found, String name) {
        return (Integer) Objects.requireNonNull(found.get(name), name);
    }

    /** Effective: real, effective, saved, file system. */
    private static int ownUid() {
        return new ProcFs()
                .status((int) ProcessHandle.current().pid(), "Uid")
                .map(ids -> Integer.parseInt(ids.split("\\s+")[1]))
                .orElseThrow(() -> new IllegalStateException("/proc/self/status has no Uid"));
    }
}
