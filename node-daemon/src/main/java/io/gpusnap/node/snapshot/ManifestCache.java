package io.gpusnap.node.snapshot;

import io.gpusnap.node.store.ManifestDigest;
import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.store.ManifestJson;
import io.gpusnap.node.tier.DiskErrors;
import io.gpusnap.node.tier.DurableFiles;
import io.gpusnap.node.tier.ManifestSeal;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * Manifests, each parsed once as long as its file does not change. That of an 8B model names thousands of chunks and takes
 * longer to parse than a switch has between two stages. Bounded by bytes of text, the least recently read go first; what is
 * larger than the bound is parsed each time. Thread-safe.
 */
final class ManifestCache {

    /** Which content a file had: changes with every write, whoever made it, and cannot be set back. */
    private record Stamp(Object inode, Object changed, long sizeBytes) {

        static Stamp of(Path file) throws TierException {
            Map<String, Object> facts;
            try {
                facts = Files.readAttributes(file, "unix:ino,ctime,size,isRegularFile", LinkOption.NOFOLLOW_LINKS);
            } catch (NoSuchFileException e) {
                throw new TierException(Reason.MISSING, file + " is not there", e);
            } catch (IOException e) {
                throw DiskErrors.typed("read", file, e);
            }
            if (!Boolean.TRUE.equals(facts.get("isRegularFile"))) {
                throw new TierException(Reason.MISSING, file + " is no regular file");
            }
            return new Stamp(
                    Objects.requireNonNull(facts.get("ino")), Objects.requireNonNull(facts.get("ctime")), (long)
                            Objects.requireNonNull(facts.get("size")));
        }
    }

    private record Entry(Stamp stamp, ReadManifest read) {}

    private final long mostBytes;
    private final DurableFiles files;
    private final LinkedHashMap<Path, Entry> entries = new LinkedHashMap<>(16, 0.75f, true);
    private long heldBytes;

    ManifestCache(long mostBytes, DurableFiles files) {
        this.mostBytes = mostBytes;
        this.files = files;
    }

    /**
     * @throws ManifestException also when the text is not what was written
     * @throws TierException MISSING also for what is no regular file; IO
     */
    ReadManifest read(Path file) throws TierException, ManifestException {
        Stamp stamp = Stamp.of(file);
        Optional<ReadManifest> known = find(file, stamp);
        if (known.isPresent()) {
            return known.get();
        }
        byte[] text = files.read(file);
        ReadManifest read = parse(file, text, ManifestDigest.of(text).hex());
        // Should the file have changed between the two looks, the stamp is not its own any more and nobody finds this.
        put(file, new Entry(stamp, read));
        return read;
    }

    static ReadManifest parse(byte[] text) throws ManifestException {
        return parse(text, ManifestDigest.of(text).hex());
    }

    private static ReadManifest parse(byte[] text, String digest) throws ManifestException {
        return new ReadManifest(ManifestJson.read(text), digest);
    }

    private static ReadManifest parse(Path file, byte[] text, String digest) throws ManifestException {
        ManifestSeal.check(file, digest);
        return parse(text, digest);
    }

    /** This text, which has just been read from the file; parsed unless it was before. */
    ReadManifest parsed(Path file, byte[] text) throws TierException, ManifestException {
        String digest = ManifestDigest.of(text).hex();
        Optional<ReadManifest> known =
                find(file, Stamp.of(file)).filter(read -> read.digest().equals(digest));
        return known.isPresent() ? known.get() : parse(file, text, digest);
    }

    /** The text of this manifest has just been written, by the only one who writes this file. */
    void written(Path file, ReadManifest read) throws TierException {
        put(file, new Entry(Stamp.of(file), read));
    }

    /** The same text has been written under another name. */
    void copied(Path from, Path to) throws TierException {
        Optional<ReadManifest> known = find(from, Stamp.of(from));
        if (known.isPresent()) {
            put(to, new Entry(Stamp.of(to), known.get()));
        }
    }

    synchronized void forget(Path file) {
        Entry entry = entries.remove(file);
        heldBytes -= entry == null ? 0 : entry.stamp().sizeBytes();
    }

    synchronized long heldBytes() {
        return heldBytes;
    }

    private synchronized Optional<ReadManifest> find(Path file, Stamp stamp) {
        return Optional.ofNullable(entries.get(file))
                .filter(entry -> entry.stamp().equals(stamp))
                .map(Entry::read);
    }

    private synchronized void put(Path file, Entry entry) {
        forget(file);
        if (entry.stamp().sizeBytes() > mostBytes) {
            return;
        }
        entries.put(file, entry);
        heldBytes += entry.stamp().sizeBytes();
        Iterator<Entry> oldest = entries.values().iterator();
        while (heldBytes > mostBytes) {
            heldBytes -= oldest.next().stamp().sizeBytes();
            oldest.remove();
        }
    }
}
