package io.gpusnap.demo;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;

/**
 * Folders of one demo: {@code build/demo} for what may be looked at afterwards, one on a tmpfs for what must be memory.
 * Everything of an earlier demo is removed, except its report.
 */
record Places(Path root, Path memory) {

    private static final Path SHARED_MEMORY = Path.of("/dev/shm");
    /** Folders of another node, below those of the first. */
    private static final String OTHER = "other-node";

    private static final long SLACK_BYTES = 512L << 20;
    private static final long SLOT_BYTES = 4L << 20;

    /** Images of the process, its pool and the simulated device live in memory: about three times the device memory. */
    static Places prepare(Path repository, Settings settings) {
        Path root = repository.resolve("build/demo");
        Path memory = SHARED_MEMORY.resolve(memoryName(repository));
        try {
            Files.createDirectories(root);
            remove(memory);
            for (Path old : Stream.of("store", "daemon", "service", "s3", OTHER)
                    .map(root::resolve)
                    .toList()) {
                remove(old);
            }
            // The daemon refuses folders that others may write to, which a loose umask would make.
            makeScratch(memory);
            long free = Files.getFileStore(memory).getUsableSpace();
            long needed = 3 * settings.deviceBytes() + SLACK_BYTES;
            if (free < needed) {
                throw new DemoFailure(
                        "%s has %s free and the demo needs %s: make it larger, or set DEMO_WEIGHTS_MIB lower"
                                .formatted(SHARED_MEMORY, Units.bytes(free), Units.bytes(needed)));
            }
        } catch (IOException e) {
            throw new DemoFailure("cannot prepare " + root + " and " + memory + ": " + e, e);
        }
        return new Places(root, memory);
    }

    private static void makeScratch(Path memory) throws IOException {
        Files.createDirectories(
                memory.resolve("scratch"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    }

    /** Of a node that has nothing. */
    Places ofOtherNode() {
        Places other = new Places(root.resolve(OTHER), memory.resolve(OTHER));
        try {
            Files.createDirectories(other.root);
            makeScratch(other.memory);
        } catch (IOException e) {
            throw new DemoFailure("cannot make " + other.root + " and " + other.memory + ": " + e, e);
        }
        return other;
    }

    /** A node's disk and its pinned memory, its snapshots with them. */
    void loseNode() {
        try {
            remove(root.resolve("store"));
            for (String file : List.of("pool", "pool.index")) {
                Files.deleteIfExists(memory.resolve(file));
            }
        } catch (IOException e) {
            throw new DemoFailure("cannot remove the node's store and pool: " + e, e);
        }
    }

    /** Of one user and one checkout, so that demos of two checkouts leave each other alone. */
    static String memoryName(Path repository) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256")
                    .digest(repository.toRealPath().toString().getBytes(StandardCharsets.UTF_8));
            return "gpusnap-demo-" + System.getProperty("user.name") + "-"
                    + HexFormat.of().formatHex(digest, 0, 4);
        } catch (IOException e) {
            throw new DemoFailure("cannot read " + repository + ": " + e, e);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    Path folder(String name) {
        try {
            return Files.createDirectories(root.resolve(name));
        } catch (IOException e) {
            throw new DemoFailure("cannot make " + root.resolve(name) + ": " + e, e);
        }
    }

    /** Room for the device memory and for the process image. */
    long poolBytes(Settings settings) {
        return (settings.deviceBytes() + SLACK_BYTES) / SLOT_BYTES * SLOT_BYTES;
    }

    void removeMemory() {
        try {
            remove(memory);
        } catch (IOException e) {
            throw new DemoFailure("cannot remove " + memory + ": " + e, e);
        }
    }

    private static void remove(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        try (Stream<Path> tree = Files.walk(folder)) {
            for (Path path : tree.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }
}
