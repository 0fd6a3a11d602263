package io.gpusnap.node.engine.check;

import io.gpusnap.gpu.Descriptor;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.store.Manifest;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/** SHA-256 of libraries and executables, each file read once as long as it does not change. Thread-safe. */
public final class Fingerprints {

    /** The largest libraries have a few hundred MiB; the time of a look must have an end. */
    private static final long MOST_BYTES = 4L << 30;

    private record Key(Object inode, long sizeBytes, FileTime changed) {}

    private final Map<Key, String> known = new ConcurrentHashMap<>();

    /**
     * Empty for what cannot be read, is no regular file, or is larger than 4 GiB.
     *
     * @param root prefix under which the path is found, without following links in it: another process's root, or empty
     */
    public Optional<Manifest.Library> of(String role, String root, String path) {
        try (Descriptor file = root.isEmpty() ? Descriptor.of(Path.of(path)) : under(Path.of(root), Path.of(path))) {
            FileFacts facts = FileFacts.of(file.path());
            if (!facts.isRegular() || facts.sizeBytes() > MOST_BYTES) {
                return Optional.empty();
            }
            Key key = new Key(facts.key(), facts.sizeBytes(), facts.changed());
            String sha256 = known.get(key);
            if (sha256 == null) {
                sha256 = sha256(file.path(), facts.sizeBytes());
                known.put(key, sha256);
            }
            return Optional.of(new Manifest.Library(role, path, sha256, facts.sizeBytes()));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /** A link would lead from another process's root into ours; what a process has mapped is named without any. */
    static Descriptor under(Path root, Path path) throws IOException {
        Descriptor at = Descriptor.of(root);
        try {
            for (Path name : path) {
                Descriptor next = at.look(name.toString());
                at.close();
                at = next;
                if (FileFacts.of(at.path()).isLink()) {
                    throw new FileSystemException(path.toString(), null, "a symbolic link is on the way");
                }
            }
            return at;
        } catch (IOException | RuntimeException e) {
            at.close();
            throw e;
        }
    }

    /**
     * Whether there are the same files at the same paths.
     *
     * @param root as {@link #of} has it
     */
    public List<Refusal> compare(List<Manifest.Library> saved, String root) {
        List<Refusal> refusals = new ArrayList<>();
        for (Manifest.Library library : saved) {
            Optional<Manifest.Library> here = of(library.role(), root, library.path());
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

    private static String sha256(Path file, long sizeBytes) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            byte[] buffer = new byte[1 << 16];
            long left = sizeBytes;
            for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                left -= read;
                if (left < 0) {
                    throw new IOException("it grows while it is read");
                }
                digest.update(buffer, 0, read);
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
