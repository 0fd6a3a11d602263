package io.gpusnap.node.engine.check;

import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.store.Manifest;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/** SHA-256 of libraries and executables, each file read once as long as it does not change. Thread-safe. */
public final class Fingerprints {

    private record Key(Path path, long sizeBytes, FileTime modified, Object inode) {}

    private final Map<Key, String> known = new ConcurrentHashMap<>();

    /** @param root prefix under which the path is found: another process's root, or empty */
    public Optional<Manifest.Library> of(String role, String root, String path) {
        try {
            Path file = Path.of(root + path).toRealPath();
            BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
            Object inode = Objects.requireNonNullElse(attributes.fileKey(), file);
            Key key = new Key(file, attributes.size(), attributes.lastModifiedTime(), inode);
            String sha256 = known.get(key);
            if (sha256 == null) {
                sha256 = sha256(file);
                known.put(key, sha256);
            }
            return Optional.of(new Manifest.Library(role, path, sha256, attributes.size()));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /** Whether this node has the same files at the same paths. */
    public List<Refusal> compare(List<Manifest.Library> saved) {
        List<Refusal> refusals = new ArrayList<>();
        for (Manifest.Library library : saved) {
            Optional<Manifest.Library> here = of(library.role(), "", library.path());
            FailureCode code =
                    library.role().equals("libcuda") ? FailureCode.DRIVER_MISMATCH : FailureCode.INCOMPATIBLE;
            if (here.isEmpty()) {
                refusals.add(new Refusal(
                        code,
                        "the snapshot's %s %s does not exist on this node".formatted(library.role(), library.path())));
            } else if (!here.get().sha256().equals(library.sha256())) {
                refusals.add(new Refusal(
                        code,
                        "the snapshot's %s %s has SHA-256 %s, this node's has %s"
                                .formatted(
                                        library.role(),
                                        library.path(),
                                        library.sha256(),
                                        here.get().sha256())));
            }
        }
        return refusals;
    }

    private static String sha256(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            byte[] buffer = new byte[1 << 16];
            for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                digest.update(buffer, 0, read);
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
