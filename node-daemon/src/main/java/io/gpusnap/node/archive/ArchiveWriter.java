package io.gpusnap.node.archive;

import io.gpusnap.node.file.Folders;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.tier.key.PortableKey;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Writes one snapshot as an OCI image layout: layers of chunks in the manifest's order, then what names them. The same snapshot makes
 * the same bytes, unless it is encrypted: then each archive has a key of its own. Nothing is there under the archive's name before
 * {@link #commit}. One thread at a time, but for {@link #frame}.
 */
public final class ArchiveWriter implements AutoCloseable {

    /** How long a layer gets: what a writer holds in memory. */
    public static final int LAYER_BYTES = 64 << 20;

    private final ArchiveSink sink;
    private final Frame frame;
    private final List<Descriptor> layers = new ArrayList<>();

    /**
     * @param partial where it is written until it is whole
     * @param epochSeconds when the snapshot was made
     * @param key encrypts chunks; empty: they are written as they are
     */
    public ArchiveWriter(Path archive, Path partial, long epochSeconds, Optional<PortableKey> key) throws IOException {
        this.sink = ArchiveSink.create(archive, partial, epochSeconds);
        this.frame = new Frame(key);
    }

    /** Removes what a writer that died has left. Harmless where nothing is. */
    public static void discard(Path partial) throws IOException {
        Folders.delete(partial);
    }

    /**
     * How chunks become layers.
     *
     * @param chunks each once, not zero, in the manifest's order
     */
    public List<List<ChunkRef>> plan(Collection<ChunkRef> chunks) {
        List<List<ChunkRef>> plans = new ArrayList<>();
        List<ChunkRef> layer = new ArrayList<>();
        long sizeBytes = 0;
        for (ChunkRef chunk : chunks) {
            if (!layer.isEmpty() && sizeBytes + frame.sizeBytes(chunk) > LAYER_BYTES) {
                plans.add(List.copyOf(layer));
                layer.clear();
                sizeBytes = 0;
            }
            layer.add(chunk);
            sizeBytes += frame.sizeBytes(chunk);
        }
        if (!layer.isEmpty()) {
            plans.add(List.copyOf(layer));
        }
        return plans;
    }

    /** What the chunk takes in a layer. */
    public int frameBytes(ChunkRef chunk) {
        return frame.sizeBytes(chunk);
    }

    /** @param target of {@link #frameBytes} */
    public void frame(ChunkRef chunk, MemorySegment content, MemorySegment target) {
        frame.write(chunk, content, target);
    }

    /** Frames of one plan, in order, without gaps. */
    public void layer(MemorySegment frames) throws IOException, ManifestException {
        layers.add(blob(frame.mediaType(), frames));
    }

    /** @return bytes of all blobs */
    public long commit(SnapshotId snapshot, byte[] manifest, Optional<byte[]> signature)
            throws IOException, ManifestException {
        Descriptor config = blob(MediaTypes.MANIFEST, MemorySegment.ofArray(manifest));
        if (signature.isPresent()) {
            layers.add(blob(MediaTypes.SIGNATURE, MemorySegment.ofArray(signature.get())));
        }
        if (layers.isEmpty()) {
            layers.add(blob(MediaTypes.OCI_EMPTY, MemorySegment.ofArray(new byte[] {'{', '}'})));
        }
        byte[] image = OciJson.write(
                new OciJson.Image(2, MediaTypes.OCI_MANIFEST, MediaTypes.SNAPSHOT, config, layers, notes()));
        Descriptor root = blob(MediaTypes.OCI_MANIFEST, MemorySegment.ofArray(image))
                .annotated(MediaTypes.SNAPSHOT, Map.of(Notes.REFERENCE, snapshot.toString()));
        write("index.json", OciJson.write(new OciJson.Index(2, MediaTypes.OCI_INDEX, List.of(root))));
        write("oci-layout", OciJson.layout());
        sink.commit();
        return config.size()
                + root.size()
                + layers.stream().mapToLong(Descriptor::size).sum();
    }

    private Map<String, String> notes() {
        Map<String, String> notes = new TreeMap<>();
        frame.key().ifPresent(key -> {
            notes.put(Notes.ARCHIVE, key.archive().toString());
            notes.put(Notes.TENANT, key.tenant());
            notes.put(Notes.KEY_ID, key.keyId());
            notes.put(Notes.WRAPPED_KEY, HexFormat.of().formatHex(key.wrapped()));
        });
        return notes;
    }

    private Descriptor blob(String mediaType, MemorySegment content) throws IOException, ManifestException {
        Descriptor blob = Descriptor.of(mediaType, content);
        if (layers.stream().noneMatch(other -> other.digest().equals(blob.digest()))) {
            sink.write(blob.name(), content.asByteBuffer());
        }
        return blob;
    }

    private void write(String name, byte[] content) throws IOException {
        sink.write(name, java.nio.ByteBuffer.wrap(content));
    }

    @Override
    public void close() throws IOException {
        sink.close();
    }
}
