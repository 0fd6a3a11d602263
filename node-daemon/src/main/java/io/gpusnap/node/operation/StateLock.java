package io.gpusnap.node.operation;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/** At most one process works with a state folder. The lock file names its process; the kernel frees it with the process. */
public final class StateLock implements AutoCloseable {

    /** Another process holds the folder. */
    public static final class HeldException extends Exception {

        private final long pid;

        HeldException(Path path, long pid) {
            super(path + " is in use by process " + (pid > 0 ? String.valueOf(pid) : "(unknown)"));
            this.pid = pid;
        }

        /** 0 when it could not be found out. */
        public long pid() {
            return pid;
        }
    }

    private final FileChannel channel;

    private StateLock(FileChannel channel) {
        this.channel = channel;
    }

    /** @throws IOException when the folder cannot be used */
    public static StateLock acquire(Path stateDirectory) throws IOException, HeldException {
        Files.createDirectories(stateDirectory);
        Path path = stateDirectory.resolve("lock");
        FileChannel channel = FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        if (tryLock(channel) == null) {
            channel.close();
            throw new HeldException(path, holder(path));
        }
        channel.truncate(0);
        channel.write(ByteBuffer.wrap((ProcessHandle.current().pid() + "\n").getBytes(StandardCharsets.US_ASCII)));
        return new StateLock(channel);
    }

    private static @Nullable FileLock tryLock(FileChannel channel) throws IOException {
        try {
            return channel.tryLock();
        } catch (OverlappingFileLockException e) {
            return null;
        }
    }

    private static long holder(Path path) throws IOException {
        String text = Files.readString(path).strip();
        return text.matches("[0-9]{1,18}") ? Long.parseLong(text) : 0;
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
