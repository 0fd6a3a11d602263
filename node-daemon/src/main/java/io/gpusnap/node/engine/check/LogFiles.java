package io.gpusnap.node.engine.check;

import io.gpusnap.node.store.Manifest;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;

/**
 * Makes the files ready that a process only wrote to. CRIU wants each as long as it was, unless it is appended to. One that
 * is missing is made again, empty up to its length; one that has changed since is set aside under another name, with
 * nothing lost, and its beginning is copied to where the process expects it.
 */
public final class LogFiles {

    private static final DateTimeFormatter STAMP =
            DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss-SSS").withZone(ZoneOffset.UTC);

    private LogFiles() {}

    static boolean isWriteOnly(Manifest.OpenFile file) {
        return file.mode().equals("w") || file.mode().equals("a");
    }

    public static void prepare(Manifest.ProcessImage process) throws IOException {
        for (Manifest.OpenFile file : process.openFiles()) {
            if (isWriteOnly(file)) {
                prepare(file, process);
            }
        }
    }

    private static void prepare(Manifest.OpenFile file, Manifest.ProcessImage process) throws IOException {
        Path path = Path.of(file.path());
        if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
            create(path, file.sizeBytes());
            own(path, (int) process.uid(), (int) process.gid());
            return;
        }
        boolean fits = file.mode().equals("a") || !Files.isRegularFile(path) || Files.size(path) == file.sizeBytes();
        if (!fits) {
            Path aside = path.resolveSibling(path.getFileName() + ".before-thaw-" + STAMP.format(Instant.now()));
            Files.move(path, aside);
            create(path, file.sizeBytes());
            copyStart(aside, path, file.sizeBytes());
            own(path, (Integer) Files.getAttribute(aside, "unix:uid"), (Integer) Files.getAttribute(aside, "unix:gid"));
            Files.setAttribute(path, "unix:mode", (Integer) Files.getAttribute(aside, "unix:mode") & 07777);
        }
    }

    private static void create(Path path, long sizeBytes) throws IOException {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            if (sizeBytes > 0) {
                channel.write(ByteBuffer.allocate(1), sizeBytes - 1);
            }
        }
    }

    private static void own(Path path, int uid, int gid) throws IOException {
        Files.setAttribute(path, "unix:uid", uid);
        Files.setAttribute(path, "unix:gid", gid);
    }

    private static void copyStart(Path from, Path to, long sizeBytes) throws IOException {
        try (FileChannel source = FileChannel.open(from, StandardOpenOption.READ);
                FileChannel target = FileChannel.open(to, StandardOpenOption.WRITE)) {
            long left = Math.min(sizeBytes, source.size());
            long at = 0;
            while (left > 0) {
                long copied = source.transferTo(at, left, target.position(at));
                at += copied;
                left -= copied;
            }
        }
    }
}
