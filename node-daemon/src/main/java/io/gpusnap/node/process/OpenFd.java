package io.gpusnap.node.process;

import java.util.List;

/**
 * One open descriptor.
 *
 * @param target as /proc shows it: a path, "pipe:[inode]", "socket:[inode]", "anon_inode:[name]"
 * @param flags open flags, as open(2) numbers them
 */
public record OpenFd(int fd, String target, int flags) {

    private static final int O_ACCMODE = 3;
    private static final int O_APPEND = 02000;

    static OpenFd of(int fd, String target, List<String> fdinfo) {
        int flags = fdinfo.stream()
                .filter(line -> line.startsWith("flags:"))
                .map(line -> Integer.parseInt(line.substring("flags:".length()).trim(), 8))
                .findFirst()
                .orElse(0);
        return new OpenFd(fd, target, flags);
    }

    public boolean isPath() {
        return target.startsWith("/");
    }

    public boolean isDeleted() {
        return target.endsWith(" (deleted)");
    }

    public boolean isPipe() {
        return target.startsWith("pipe:[");
    }

    public boolean isTerminal() {
        return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty");
    }

    public boolean isIoUring() {
        return target.equals("anon_inode:[io_uring]");
    }

    /** @return -1 for what is no socket */
    static long socketInode(String target) {
        return target.startsWith("socket:[")
                ? Long.parseLong(target.substring("socket:[".length(), target.length() - 1))
                : -1;
    }

    /** r, w, a (write, append) or rw. */
    public String mode() {
        return switch (flags & O_ACCMODE) {
            case 0 -> "r";
            case 1 -> (flags & O_APPEND) != 0 ? "a" : "w";
            default -> "rw";
        };
    }
}
