package io.gpusnap.node.archive;

import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/**
 * A tar, read in place: which entry lies where is found once, by its headers. Of the format's extensions only comments are
 * borne: what renames or resizes an entry is refused, as no tool needs that for names and sizes such as ours. So is a tar that has
 * anything but files and folders below it: nothing is unpacked here, but whoever made it meant somebody to.
 */
final class TarFiles implements ArchiveFiles {

    private static final int MOST_ENTRIES = 1 << 20;
    private static final int MOST_EXTENSION_BYTES = 64 << 10;

    private record Place(long offset, long size) {}

    private final FileChannel channel;
    private final Map<String, Place> places = new HashMap<>();

    private TarFiles(FileChannel channel) {
        this.channel = channel;
    }

    /**
     * @throws ManifestException when it is no tar that is read here
     * @throws TierException MISSING when it was cut off
     */
    static TarFiles open(Path archive) throws IOException, TierException, ManifestException {
        TarFiles files = new TarFiles(FileChannel.open(archive, StandardOpenOption.READ));
        try {
            files.findPlaces();
            return files;
        } catch (IOException | TierException | ManifestException | RuntimeException e) {
            files.close();
            throw e;
        }
    }

    private void findPlaces() throws IOException, TierException, ManifestException {
        long end = channel.size();
        long at = 0;
        ByteBuffer block = ByteBuffer.allocate(TarHeader.BYTES);
        for (int entries = 0; at + TarHeader.BYTES <= end; entries++) {
            if (entries == MOST_ENTRIES) {
                throw new ManifestException("the tar has more than " + MOST_ENTRIES + " entries");
            }
            read(at, block.clear());
            if (TarHeader.isEnd(block.array())) {
                return;
            }
            TarHeader header = TarHeader.read(block.array());
            at += TarHeader.BYTES;
            take(header, at);
            at += Math.ceilDiv(header.size(), (long) TarHeader.BYTES) * TarHeader.BYTES;
        }
        if (places.isEmpty()) {
            throw new ManifestException("it is no tar");
        }
        throw new TierException(Reason.MISSING, "the tar was cut off: it has no end");
    }

    private void take(TarHeader header, long at) throws IOException, TierException, ManifestException {
        switch (header.type()) {
            case TarHeader.FILE -> {
                String name = below(header.name());
                if (places.put(name, new Place(at, header.size())) != null) {
                    throw new ManifestException("the tar has two entries " + name);
                }
            }
            case TarHeader.EXTENSION, TarHeader.COMMON_EXTENSION -> requireHarmless(header, at);
            case TarHeader.LONG_NAME, TarHeader.LONG_LINK ->
                throw new ManifestException("the tar has names that are too long to be those of an archive");
            case TarHeader.FOLDER -> below(header.name());
            default ->
                throw new ManifestException(
                        "the tar has an entry %s that is neither a file nor a folder (type %s): a link or a device has no place in it"
                                .formatted(header.name(), header.type()));
        }
    }

    /** The name without what tools put before it. */
    private static String below(String name) throws ManifestException {
        String path = name.startsWith("./") ? name.substring(2) : name;
        if (path.startsWith("/") || List.of(path.split("/", -1)).contains("..")) {
            throw new ManifestException("the tar has an entry %s, which is not below it".formatted(name));
        }
        return path;
    }

    private void requireHarmless(TarHeader header, long at) throws IOException, TierException, ManifestException {
        if (header.size() > MOST_EXTENSION_BYTES) {
            throw new ManifestException("the tar has an extended header of %d bytes".formatted(header.size()));
        }
        ByteBuffer text = ByteBuffer.allocate((int) header.size());
        read(at, text);
        String records = new String(text.array(), StandardCharsets.UTF_8);
        if (records.contains(" path=") || records.contains(" size=") || records.contains(" GNU.sparse")) {
            throw new ManifestException("the tar renames or resizes an entry in an extended header");
        }
    }

    private void read(long at, ByteBuffer target) throws IOException, TierException {
        ArchiveFiles.fill(channel, at, target, "a header");
    }

    @Override
    public OptionalLong size(String name) {
        Place place = places.get(name);
        return place == null ? OptionalLong.empty() : OptionalLong.of(place.size());
    }

    @Override
    public void read(String name, long offset, ByteBuffer target) throws IOException, TierException {
        Place place = places.get(name);
        if (place == null || offset + target.remaining() > place.size()) {
            throw new TierException(Reason.MISSING, "the archive ends in the middle of " + name);
        }
        ArchiveFiles.fill(channel, place.offset() + offset, target, name);
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
