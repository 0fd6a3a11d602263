package io.gpusnap.node.archive;

import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.Manifest;
import io.gpusnap.node.store.ManifestDigest;
import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.store.ManifestJson;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import io.gpusnap.node.tier.key.ManifestSigner;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * An archive, open to be read. When it is open its shape is proven: the documents are what their digests say, the manifest is valid,
 * every blob is there with its size, and the layers hold exactly the manifest's chunks. What is in the layers {@link Layer} proves as it
 * is read. Thread-safe.
 */
public final class SnapshotArchive implements AutoCloseable {

    private static final int MOST_MANIFEST_BYTES = 64 << 20;

    private final ArchiveFiles files;
    private final OciJson.Image image;
    private final byte[] manifestBytes;
    private final Manifest manifest;

    private SnapshotArchive(ArchiveFiles files) throws IOException, TierException, ManifestException {
        this.files = files;
        OciJson.requireLayout(document("oci-layout"));
        Descriptor root = root(OciJson.read(document("index.json"), OciJson.Index.class, "index.json"));
        this.image = OciJson.read(proven(root, OciJson.MOST_BYTES), OciJson.Image.class, "the image manifest");
        Descriptor config = image.config();
        if (image.schemaVersion() != 2
                || !MediaTypes.OCI_MANIFEST.equals(image.mediaType())
                || config == null
                || !MediaTypes.MANIFEST.equals(config.mediaType())) {
            throw foreign("its image has a config of type " + (config == null ? "none" : config.mediaType()));
        }
        this.manifestBytes = proven(config, MOST_MANIFEST_BYTES);
        this.manifest = ManifestJson.read(manifestBytes);
        requireLayers();
    }

    /**
     * @throws ManifestException when it is no archive of a snapshot, or its documents contradict each other
     * @throws TierException MISSING: it is not all there; CORRUPT: a document is not what its digest says
     */
    public static SnapshotArchive open(Path archive) throws IOException, TierException, ManifestException {
        ArchiveFiles files = ArchiveFiles.open(archive);
        try {
            return new SnapshotArchive(files);
        } catch (IOException | TierException | ManifestException | RuntimeException e) {
            files.close();
            throw e;
        }
    }

    private byte[] document(String name) throws IOException, TierException, ManifestException {
        if (files.size(name).isEmpty()) {
            throw foreign("it has no " + name);
        }
        return files.readAll(name, OciJson.MOST_BYTES);
    }

    private static Descriptor root(OciJson.Index index) throws ManifestException {
        List<Descriptor> manifests = Objects.requireNonNullElse(index.manifests(), List.of());
        List<Descriptor> ours = manifests.stream()
                .filter(one -> MediaTypes.OCI_MANIFEST.equals(one.mediaType())
                        && (one.artifactType() == null || MediaTypes.SNAPSHOT.equals(one.artifactType())))
                .toList();
        if (ours.size() != 1) {
            throw foreign("its index names %d images, of which %d may be a snapshot"
                    .formatted(manifests.size(), ours.size()));
        }
        return ours.getFirst();
    }

    private static ManifestException foreign(String why) {
        return new ManifestException("it is no archive of one snapshot: " + why);
    }

    /** A small blob, believed when size and digest are right. */
    private byte[] proven(Descriptor blob, int mostBytes) throws IOException, TierException, ManifestException {
        requireSize(blob);
        byte[] bytes = files.readAll(blob.name(), mostBytes);
        if (!Descriptor.of(blob.mediaType(), bytes).digest().equals(blob.digest())) {
            throw new TierException(Reason.CORRUPT, blob.name() + " of the archive is not what its name says");
        }
        return bytes;
    }

    private void requireSize(Descriptor blob) throws IOException, TierException, ManifestException {
        String name = blob.name();
        long found =
                files.size(name).orElseThrow(() -> new TierException(Reason.MISSING, "the archive has no " + name));
        if (found != blob.size()) {
            throw new TierException(
                    Reason.CORRUPT, "%s of the archive has %d bytes, not %d".formatted(name, found, blob.size()));
        }
    }

    private List<Descriptor> blobs() {
        return Objects.requireNonNullElse(image.layers(), List.of());
    }

    private void requireLayers() throws IOException, TierException, ManifestException {
        for (Descriptor blob : blobs()) {
            requireSize(blob);
            switch (blob.mediaType()) {
                case MediaTypes.CHUNKS, MediaTypes.SEALED_CHUNKS, MediaTypes.SIGNATURE, MediaTypes.OCI_EMPTY -> {}
                default -> throw foreign("it has a layer of type " + blob.mediaType());
            }
        }
        if (chunkBlobs().stream().map(Descriptor::mediaType).distinct().count() > 1) {
            throw foreign("some of its layers are encrypted, and some are not");
        }
        layers(new Frame(Optional.empty()), ArchiveKey.isSealed(image));
    }

    private List<Descriptor> chunkBlobs() {
        return blobs().stream()
                .filter(blob -> blob.mediaType().equals(MediaTypes.CHUNKS)
                        || blob.mediaType().equals(MediaTypes.SEALED_CHUNKS))
                .toList();
    }

    public Manifest manifest() {
        return manifest;
    }

    /** Its exact bytes. */
    public byte[] manifestBytes() {
        return manifestBytes.clone();
    }

    public String manifestDigest() {
        return ManifestDigest.of(manifestBytes).hex();
    }

    /** Whether chunks are encrypted. */
    public boolean sealed() {
        return ArchiveKey.isSealed(image);
    }

    /** Of all layers. */
    public long chunkBytes() {
        return chunkBlobs().stream().mapToLong(Descriptor::size).sum();
    }

    /**
     * Whether this node takes it.
     *
     * @throws TierException UNTRUSTED when the node asks for signatures, and there is none of a key that it trusts
     */
    public void requireTrusted(ManifestSigner signer) throws IOException, TierException, ManifestException {
        if (!signer.asksForSignatures()) {
            return;
        }
        Optional<Descriptor> signature = blobs().stream()
                .filter(blob -> blob.mediaType().equals(MediaTypes.SIGNATURE))
                .findFirst();
        if (signature.isEmpty()
                || !signer.trusts(
                        manifest.snapshotId(),
                        manifestBytes,
                        proven(signature.get(), ManifestSigner.SIGNATURE_BYTES))) {
            throw new TierException(
                    Reason.UNTRUSTED,
                    "the archive is not signed by a key that this node trusts (tiers.trustedKeysFile)");
        }
    }

    /**
     * The layers, with what each holds.
     *
     * @param provider of the keys that may have wrapped the archive's own
     * @throws TierException NO_KEY when it is encrypted and not for this node
     */
    public List<Layer> layers(ArchiveKey.Holder provider) throws TierException, ManifestException {
        return layers(new Frame(provider.open(image)), sealed());
    }

    /** @param sealed how long frames are, also where there is no key to open them */
    private List<Layer> layers(Frame frame, boolean sealed) throws ManifestException {
        Set<ChunkRef> chunks = new LinkedHashSet<>();
        manifest.chunks().filter(chunk -> !chunk.isZero()).forEach(chunks::add);
        Iterator<ChunkRef> left = chunks.iterator();
        List<Layer> layers = new ArrayList<>();
        for (Descriptor blob : chunkBlobs()) {
            List<ChunkRef> inIt = new ArrayList<>();
            long bytes = 0;
            while (bytes < blob.size() && left.hasNext()) {
                ChunkRef chunk = left.next();
                inIt.add(chunk);
                bytes += Frame.sizeBytes(chunk, sealed);
            }
            if (bytes != blob.size() || inIt.isEmpty()) {
                throw foreign("layer %s does not hold whole chunks of the manifest".formatted(blob.digest()));
            }
            layers.add(new Layer(files, blob, frame, inIt));
        }
        if (left.hasNext()) {
            throw foreign("its layers end before the manifest's chunks do");
        }
        return layers;
    }

    @Override
    public void close() throws IOException {
        files.close();
    }
}
