package io.gpusnap.node.snapshot;

import io.gpusnap.node.file.Folders;
import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.store.NewerManifestException;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.tier.DiskErrors;
import io.gpusnap.node.tier.DurableFiles;
import io.gpusnap.node.tier.ManifestSeal;
import io.gpusnap.node.tier.NvmeTier;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The files of manifests. Each reader looks whether an error is the medium's: one that comes the second time too, in a store that gives
 * other things, is damage to this file; so is a text that cannot have been written as this file. Thread-safe.
 */
final class ManifestFiles {

    static final String SUFFIX = ".json";
    /** Of manifests' text, about as much in memory: a hundred 8B models. */
    private static final long CACHED_BYTES = 64L << 20;

    private interface Reading<T, E extends Exception> {
        T read(Path file) throws TierException, E;
    }

    private final DurableFiles files;
    private final NvmeTier nvme;
    private final ManifestCache cache;

    ManifestFiles(DurableFiles files, NvmeTier nvme) {
        this.files = files;
        this.nvme = nvme;
        this.cache = new ManifestCache(CACHED_BYTES, files);
    }

    static List<Path> in(Path folder) throws TierException {
        try {
            return Folders.list(folder, "*" + SUFFIX);
        } catch (IOException e) {
            throw new TierException(Reason.IO, "cannot list " + folder, e);
        }
    }

    static SnapshotId snapshot(Path file) {
        String name = file.getFileName().toString();
        return SnapshotId.parse(name.substring(0, name.length() - SUFFIX.length()));
    }

    /**
     * As they are on the medium.
     *
     * @throws TierException MISSING, CORRUPT, IO
     */
    byte[] bytes(Path file) throws TierException {
        return judged(file, files::read);
    }

    /**
     * As they are on the medium. Of those of a schema that this daemon does not know whoever parses them is told.
     *
     * @throws TierException CORRUPT also where they cannot be what was written; MISSING, IO
     */
    byte[] believed(Path file) throws TierException {
        byte[] text = bytes(file);
        try {
            own(file, cache.parsed(file, text));
        } catch (NewerManifestException e) {
            return text;
        } catch (ManifestException e) {
            throw damaged(file, e);
        }
        return text;
    }

    /**
     * Parsed when it is first asked for; from then on known without the medium, as long as the file does not change.
     *
     * @throws TierException as {@link #believed}
     */
    ReadManifest read(Path file) throws TierException, NewerManifestException {
        try {
            return own(file, judged(file, cache::read));
        } catch (NewerManifestException e) {
            throw e.in(file);
        } catch (ManifestException e) {
            throw damaged(file, e);
        }
    }

    private static ReadManifest own(Path file, ReadManifest read) throws ManifestException {
        SnapshotId found = read.manifest().snapshotId();
        if (!found.equals(snapshot(file))) {
            throw new ManifestException("it is one of snapshot " + found);
        }
        return read;
    }

    private static TierException damaged(Path file, ManifestException e) {
        return new TierException(
                Reason.CORRUPT,
                "the manifest of snapshot %s is not what was written: %s".formatted(snapshot(file), e.getMessage()),
                e);
    }

    /**
     * What it names; nothing where it is gone by now.
     *
     * @throws TierException CORRUPT, IO
     */
    Set<ChunkDigest> digests(Path file) throws TierException, NewerManifestException {
        Set<ChunkDigest> digests = new HashSet<>();
        try {
            read(file)
                    .manifest()
                    .chunks()
                    .map(ChunkRef::content)
                    .flatMap(Optional::stream)
                    .forEach(digests::add);
        } catch (TierException e) {
            if (e.reason() != Reason.MISSING) {
                throw e;
            }
        }
        return digests;
    }

    private <T, E extends Exception> T judged(Path file, Reading<T, E> reading) throws TierException, E {
        try {
            return reading.read(file);
        } catch (TierException e) {
            if (!DiskErrors.isOfMedium(e)) {
                throw told(file, e);
            }
        }
        try {
            return reading.read(file);
        } catch (TierException again) {
            throw nvme.isDamage(again)
                    ? new TierException(
                            Reason.CORRUPT,
                            "the manifest of snapshot %s cannot be read, its store can: %s"
                                    .formatted(snapshot(file), again.getMessage()),
                            again)
                    : told(file, again);
        }
    }

    private static TierException told(Path file, TierException e) {
        return e.reason() == Reason.MISSING
                ? new TierException(Reason.MISSING, "snapshot " + snapshot(file) + " is not in this store", e)
                : e;
    }

    /** This one has just been written, by the only one who writes it. */
    void written(Path file, ReadManifest read) throws TierException {
        ManifestSeal.put(file, read.digest());
        cache.written(file, read);
    }

    /** Writes the text of one under another name. */
    void copy(Path from, Path to) throws TierException {
        files.write(to, MemorySegment.ofArray(bytes(from)));
        ManifestSeal.of(from).ifPresent(written -> ManifestSeal.put(to, written));
        cache.copied(from, to);
    }

    void move(Path from, Path to) throws TierException {
        files.move(from, to);
        cache.forget(from);
    }

    void delete(Path file) throws TierException {
        files.delete(file);
        cache.forget(file);
    }
}
