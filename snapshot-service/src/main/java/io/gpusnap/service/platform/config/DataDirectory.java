package io.gpusnap.service.platform.config;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.DisposableBean;

/**
 * The folder of everything that this instance keeps on disk: access token, embedded database. One running service holds
 * it at a time; the kernel gives it up when the process dies, however it dies.
 */
public final class DataDirectory implements DisposableBean {
    static final String PROPERTY = "gpusnap.data-dir";

    private final Path path;
    private final FileChannel lockFile;

    private DataDirectory(Path path, FileChannel lockFile) {
        this.path = path;
        this.lockFile = lockFile;
    }

    /**
     * Makes the folder where it is missing (0700) and takes it.
     *
     * @throws BadConfigurationException if it cannot be used, or another service holds it
     */
    public static DataDirectory open(Path folder) {
        Path wanted = folder.toAbsolutePath().normalize();
        try {
            if (!Files.isDirectory(wanted)) {
                Files.createDirectories(wanted);
                Files.setPosixFilePermissions(wanted, PosixFilePermissions.fromString("rwx------"));
            }
            // One folder, one name, however it is spelled: the database is started and found again by it.
            Path path = wanted.toRealPath();
            Path file = path.resolve("service.lock");
            FileChannel channel = FileChannel.open(
                    file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
            if (tryLock(channel) == null) {
                channel.close();
                throw new BadConfigurationException(
                        PROPERTY, "another snapshot-service is using " + path + "; stop it or choose another folder");
            }
            return new DataDirectory(path, channel);
        } catch (IOException e) {
            throw new BadConfigurationException(PROPERTY, "cannot use " + wanted + ": " + e);
        }
    }

    private static @Nullable FileLock tryLock(FileChannel channel) throws IOException {
        try {
            return channel.tryLock();
        } catch (OverlappingFileLockException sameProcess) {
            return null;
        }
    }

    public Path path() {
        return path;
    }

    /** A file or folder directly in here. */
    public Path resolve(String name) {
        return path.resolve(name);
    }

    @Override
    public void destroy() {
        try {
            lockFile.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
