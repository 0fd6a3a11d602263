package io.gpusnap.node.tier.blob;

import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.SnapshotId;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Pattern;

/**
 * Name of an object in a shared store. Only made of validated digests and ids, so no name that came from outside can leave the
 * store: no dots, no empty parts, nothing but what the pattern allows.
 *
 * @param path parts with slashes between them, as docs/formats.md lays them out
 */
public record BlobKey(String path) {

    private static final String HEX = "[0-9a-f]{64}";
    private static final String ID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}";
    private static final Pattern FORM = Pattern.compile("gpusnap-(store|service)\\.json"
            + "|packs/[0-9a-f]{2}/" + HEX
            + "|indexes/" + HEX
            + "|snapshots/" + ID + "\\." + ID + "\\.(json|map|sig)"
            + "|quarantine/" + HEX + "-" + HEX
            + "|keys/" + HEX
            + "|probe/" + ID);

    /** What lies beside each other. */
    public enum Folder {
        PACKS("packs/"),
        INDEXES("indexes/"),
        SNAPSHOTS("snapshots/"),
        QUARANTINE("quarantine/"),
        KEYS("keys/"),
        PROBES("probe/");

        private final String prefix;

        Folder(String prefix) {
            this.prefix = prefix;
        }

        /** With its slash. */
        public String prefix() {
            return prefix;
        }
    }

    public BlobKey {
        if (!FORM.matcher(path).matches()) {
            throw new IllegalArgumentException("no object of a store is named " + path);
        }
    }

    /** Empty for a name that no version of this program gave: a stranger, to be left alone. */
    public static Optional<BlobKey> ofListed(String path) {
        return FORM.matcher(path).matches() ? Optional.of(new BlobKey(path)) : Optional.empty();
    }

    /** Makes a store a store: its format and id. */
    public static BlobKey marker() {
        return new BlobKey("gpusnap-store.json");
    }

    /** The service that may have objects deleted. */
    public static BlobKey owner() {
        return new BlobKey("gpusnap-service.json");
    }

    /** @param pack 64 hex digits */
    public static BlobKey pack(ChunkDigest pack) {
        return new BlobKey("packs/" + pack.hex().substring(0, 2) + "/" + pack.hex());
    }

    public static BlobKey index(ChunkDigest pack) {
        return new BlobKey("indexes/" + pack.hex());
    }

    /** @param copy another one for each time that the snapshot is copied here: names are never used twice */
    public static BlobKey manifest(SnapshotId snapshot, UUID copy) {
        return new BlobKey("snapshots/" + snapshot + "." + copy + ".json");
    }

    public static BlobKey map(SnapshotId snapshot, UUID copy) {
        return new BlobKey("snapshots/" + snapshot + "." + copy + ".map");
    }

    public static BlobKey signature(SnapshotId snapshot, UUID copy) {
        return new BlobKey("snapshots/" + snapshot + "." + copy + ".sig");
    }

    /** @param tenant a hash of its name */
    public static BlobKey dataKey(ChunkDigest tenant) {
        return new BlobKey("keys/" + tenant.hex());
    }

    public static BlobKey quarantine(ChunkDigest chunk, ChunkDigest pack) {
        return new BlobKey("quarantine/" + chunk.hex() + "-" + pack.hex());
    }

    public static BlobKey probe() {
        return new BlobKey("probe/" + UUID.randomUUID());
    }

    /** The last part. */
    public String name() {
        return path.substring(path.lastIndexOf('/') + 1);
    }

    @Override
    public String toString() {
        return path;
    }
}
