package io.gpusnap.node.tier;

import io.gpusnap.gpu.Buffers;
import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.TreeDigester;
import io.gpusnap.node.tier.TierException.Reason;
import io.gpusnap.node.tier.pack.Compression;
import io.gpusnap.node.tier.pack.Frames;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What a chunk's file holds in the node's own store: the chunk, or what {@link ChunkSealing} makes of it, or it is compressed, and then
 * perhaps encrypted, and has a footer. The file's size tells which, and nothing has to be read of it to know whether a chunk is there: an
 * encrypted one is longer than its chunk, and a compressed one is shorter, by such a number that hardly a file that was cut off is taken for
 * one. Thread-safe.
 */
final class ChunkFiles {

    /** What is done with bytes that are only lent. */
    @FunctionalInterface
    interface Use<E extends Exception> {
        void of(MemorySegment bytes) throws TierException, E;
    }

    private record Form(boolean compressed, boolean sealed) {}

    /** @param frameBytes from the file's beginning */
    private record Footer(int frameBytes, int codec) {

        private static final byte[] MAGIC = "GNCHUNK1".getBytes(StandardCharsets.US_ASCII);
        static final int BYTES = 24;

        void write(int sizeBytes, MemorySegment target) {
            target.asByteBuffer()
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .put(MAGIC)
                    .putInt(frameBytes)
                    .putInt(codec)
                    .putInt(sizeBytes)
                    .putInt(0);
        }

        /** Empty when it is none, or of another chunk than one of this size. */
        static Optional<Footer> read(ByteBuffer bytes, Form form, int sizeBytes, long fileBytes) {
            ByteBuffer in = bytes.order(ByteOrder.LITTLE_ENDIAN);
            byte[] magic = new byte[MAGIC.length];
            in.get(magic);
            Footer found = new Footer(in.getInt(), in.getInt());
            int least = form.sealed() ? ChunkSealing.OVERHEAD_BYTES : 0;
            boolean right = Arrays.equals(magic, MAGIC)
                    && in.getInt() == sizeBytes
                    && found.frameBytes > least
                    && found.frameBytes <= fileBytes - BYTES
                    && (found.codec & Frames.ZSTD) != 0
                    && (found.codec & ~Frames.KNOWN) == 0
                    && (found.codec & Frames.SEALED) != 0 == form.sealed();
            return right ? Optional.of(found) : Optional.empty();
        }
    }

    private static final int PAGE_BYTES = 4096;
    /** Sizes of compressed files are a multiple of this, and {@link #REST} or {@link #SEALED_REST} more. */
    private static final int STEP = 64;

    private static final int REST = Footer.BYTES;
    private static final int SEALED_REST = Footer.BYTES + ChunkSealing.OVERHEAD_BYTES;

    private final Optional<ChunkSealing> sealing;
    private final boolean encrypts;
    private final Compression compression;

    /**
     * @param sealing empty: what is encrypted cannot be read
     * @param encrypts what is written
     * @param compression of what is written, where it shrinks
     */
    ChunkFiles(Optional<ChunkSealing> sealing, boolean encrypts, Compression compression) {
        this.sealing = sealing;
        this.encrypts = encrypts;
        this.compression = compression;
    }

    private static Optional<Form> form(long fileBytes, int sizeBytes) {
        if (fileBytes == sizeBytes) {
            return Optional.of(new Form(false, false));
        }
        if (fileBytes == (long) sizeBytes + ChunkSealing.OVERHEAD_BYTES) {
            return Optional.of(new Form(false, true));
        }
        if (fileBytes > sizeBytes || fileBytes % STEP != REST && fileBytes % STEP != SEALED_REST) {
            return Optional.empty();
        }
        return Optional.of(new Form(true, fileBytes % STEP == SEALED_REST));
    }

    /** Whether a file of this size may hold the chunk, and can be read here. */
    boolean readable(long fileBytes, int sizeBytes) {
        return form(fileBytes, sizeBytes)
                .filter(form -> !form.sealed() || sealing.isPresent())
                .isPresent();
    }

    /**
     * Whether a file of this size is the chunk itself.
     *
     * @throws TierException CORRUPT when it cannot be the chunk's
     */
    boolean plain(ChunkDigest digest, long fileBytes, int sizeBytes) throws TierException {
        Form form = form(fileBytes, sizeBytes).orElseThrow(() -> otherSize(digest, fileBytes, sizeBytes));
        return !form.compressed() && !form.sealed();
    }

    private static TierException otherSize(ChunkDigest digest, long found, int expected) {
        return new TierException(Reason.CORRUPT, "chunk %s has %d bytes, not %d".formatted(digest, found, expected));
    }

    /**
     * @param use takes the file's bytes
     * @return how many they were
     */
    long encode(ChunkDigest digest, MemorySegment content, Use<RuntimeException> use) throws TierException {
        return compression.compress(content, (bytes, codec) -> encode(digest, content, bytes, codec, use));
    }

    private long encode(
            ChunkDigest digest, MemorySegment content, MemorySegment bytes, int codec, Use<RuntimeException> use)
            throws TierException {
        long frameBytes = bytes.byteSize() + (encrypts ? ChunkSealing.OVERHEAD_BYTES : 0);
        long fileBytes = Math.ceilDiv(bytes.byteSize(), STEP) * STEP + (encrypts ? SEALED_REST : REST);
        if (codec != Frames.PLAIN && fileBytes < content.byteSize()) {
            lend(buffer -> {
                buffer.asSlice(frameBytes, fileBytes - frameBytes).fill((byte) 0);
                if (encrypts) {
                    sealing.orElseThrow().seal(digest, codec, bytes, buffer);
                } else {
                    MemorySegment.copy(bytes, 0, buffer, 0, frameBytes);
                }
                new Footer((int) frameBytes, encrypts ? codec | Frames.SEALED : codec)
                        .write((int) content.byteSize(), buffer.asSlice(fileBytes - Footer.BYTES, Footer.BYTES));
                use.of(buffer.asSlice(0, fileBytes));
            });
            return fileBytes;
        }
        if (encrypts) {
            lend(buffer -> use.of(sealing.orElseThrow().seal(digest, Frames.PLAIN, content, buffer)));
            return content.byteSize() + ChunkSealing.OVERHEAD_BYTES;
        }
        use.of(content);
        return content.byteSize();
    }

    /**
     * @param file all of the file, which is not the chunk itself
     * @param target of the chunk's size
     * @throws TierException CORRUPT; NO_KEY when it is encrypted and there is no key
     */
    void decode(ChunkDigest digest, MemorySegment file, MemorySegment target) throws TierException {
        int sizeBytes = (int) target.byteSize();
        Form form = form(file.byteSize(), sizeBytes).orElseThrow(() -> otherSize(digest, file.byteSize(), sizeBytes));
        if (!form.compressed()) {
            sealing(digest).open(digest, Frames.PLAIN, file, target);
            return;
        }
        Footer footer = Footer.read(
                        file.asSlice(file.byteSize() - Footer.BYTES).asByteBuffer(), form, sizeBytes, file.byteSize())
                .orElseThrow(() -> otherSize(digest, file.byteSize(), sizeBytes));
        MemorySegment frame = file.asSlice(0, footer.frameBytes());
        if (!form.sealed()) {
            Compression.expand(digest, footer.codec(), frame, target);
            return;
        }
        ChunkSealing seals = sealing(digest);
        lend(buffer -> {
            MemorySegment opened = buffer.asSlice(0, footer.frameBytes() - ChunkSealing.OVERHEAD_BYTES);
            seals.open(digest, footer.codec(), frame, opened);
            Compression.expand(digest, footer.codec(), opened, target);
        });
    }

    /** Not corrupt: nobody may put it in quarantine because a setting is lacking. */
    private ChunkSealing sealing(ChunkDigest digest) throws TierException {
        return sealing.orElseThrow(() -> new TierException(
                Reason.NO_KEY, "chunk %s is encrypted, this node has no key (tiers.keyFile)".formatted(digest)));
    }

    /** The number of the key that has encrypted a file; empty when none has. */
    static OptionalInt keyOf(FileChannel channel, int sizeBytes) throws IOException {
        long fileBytes = channel.size();
        Optional<Form> form = form(fileBytes, sizeBytes).filter(Form::sealed);
        if (form.isEmpty()) {
            return OptionalInt.empty();
        }
        long end = (long) sizeBytes + ChunkSealing.OVERHEAD_BYTES;
        if (form.get().compressed()) {
            ByteBuffer bytes = ByteBuffer.allocate(Footer.BYTES);
            Optional<Footer> footer = channel.read(bytes, fileBytes - Footer.BYTES) == Footer.BYTES
                    ? Footer.read(bytes.flip(), form.get(), sizeBytes, fileBytes)
                    : Optional.empty();
            if (footer.isEmpty()) {
                return OptionalInt.empty();
            }
            end = footer.get().frameBytes();
        }
        ByteBuffer number = ByteBuffer.allocate(ChunkSealing.NUMBER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        int read = channel.read(number, end - ChunkSealing.NUMBER_BYTES);
        return read == ChunkSealing.NUMBER_BYTES ? OptionalInt.of(number.getInt(0)) : OptionalInt.empty();
    }

    /** @param use takes page-aligned memory for one file with its padding */
    <E extends Exception> void lend(Use<E> use) throws TierException, E {
        try (Buffers buffers = new Buffers()) {
            use.of(buffers.take(TreeDigester.MAX_CHUNK_BYTES + PAGE_BYTES));
        }
    }
}
