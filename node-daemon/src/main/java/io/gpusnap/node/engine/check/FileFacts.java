package io.gpusnap.node.engine.check;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Map;
import java.util.Objects;

/**
 * What one look at a file found.
 *
 * @param mode with its type
 * @param key device and inode
 * @param changed unlike the time of modification, no owner can set it back
 */
record FileFacts(int mode, int uid, int gid, long sizeBytes, Object key, FileTime changed) {

    private static final int TYPE = 0170000;
    private static final int FOLDER = 0040000;
    private static final int REGULAR = 0100000;
    private static final int LINK = 0120000;
    private static final int STICKY = 01000;

    /** Follows links. */
    static FileFacts of(Path path) throws IOException {
        Map<String, Object> found = Files.readAttributes(path, "unix:mode,uid,gid,size,fileKey,ctime");
        return new FileFacts(
                (Integer) one(found, "mode"),
                (Integer) one(found, "uid"),
                (Integer) one(found, "gid"),
                (Long) one(found, "size"),
                one(found, "fileKey"),
                (FileTime) one(found, "ctime"));
    }

    private static Object one(Map<String, Object> found, String name) {
        return Objects.requireNonNull(found.get(name), name);
    }

    boolean isFolder() {
        return (mode & TYPE) == FOLDER;
    }

    boolean isRegular() {
        return (mode & TYPE) == REGULAR;
    }

    boolean isLink() {
        return (mode & TYPE) == LINK;
    }

    /** Whether names in this folder can only be changed by those who own them. */
    boolean isSticky() {
        return (mode & STICKY) != 0;
    }

    /** The last three octal digits. */
    int permissions() {
        return mode & 0777;
    }
}
