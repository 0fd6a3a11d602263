package io.gpusnap.node.tier.pack;

import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;

/**
 * Which chunks lie where in which packs: of one pack it is the pack's index, of several a snapshot's map. Little endian:
 *
 * <pre>
 * "GNSPACK1", copy (16 bytes), n packs (int32), then for each pack:
 *   id (32 bytes; zeros in an index), size (int64), length of scope (int32) and scope (UTF-8), n entries (int32), and for each:
 *     digest (32 bytes), size (int32), offset (int64), frame's size (int32), codec (int32)
 * SHA-256 of everything before (32 bytes)
 * </pre>
 *
 * The id of a pack is the SHA-256 at the end of its index. The copy is in it, so no two copies ever make packs of one name.
 *
 * @param copy the run that made the packs or the map
 */
record PackTable(UUID copy, List<Pack> packs) {

    static final long MOST_PACK_BYTES = 1L << 30;
    /** A map of a snapshot of 4 TiB in chunks of 4 MiB; more is refused before it is read. */
    static final int MOST_BYTES = 64 << 20;

    private static final byte[] MAGIC = "GNSPACK1".getBytes(StandardCharsets.US_ASCII);
    private static final int MOST_SCOPE_BYTES = 255;
    private static final int ENTRY_BYTES = ChunkDigest.BYTES + 20;

    /** @param scope whose key encrypts it; "" when it is not encrypted */
    record Pack(ChunkDigest id, long sizeBytes, String scope, List<PackEntry> entries) {

        Pack {
            entries = List.copyOf(entries);
        }
    }

    /** Stands for the id in an index, which cannot hold its own digest. */
    static final ChunkDigest SELF = new ChunkDigest("0".repeat(2 * ChunkDigest.BYTES));

    PackTable {
        packs = List.copyOf(packs);
    }

    byte[] encode() {
        int size = MAGIC.length + 16 + 4 + ChunkDigest.BYTES;
        for (Pack pack : packs) {
            size += ChunkDigest.BYTES
                    + 8
                    + 4
                    + scopeBytes(pack).length
                    + 4
                    + pack.entries().size() * ENTRY_BYTES;
        }
        ByteBuffer out = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
        out.put(MAGIC).putLong(copy.getMostSignificantBits()).putLong(copy.getLeastSignificantBits());
        out.putInt(packs.size());
        for (Pack pack : packs) {
            out.put(pack.id().bytes()).putLong(pack.sizeBytes());
            out.putInt(scopeBytes(pack).length).put(scopeBytes(pack));
            out.putInt(pack.entries().size());
            for (PackEntry entry : pack.entries()) {
                out.put(entry.digest().bytes()).putInt(entry.sizeBytes()).putLong(entry.offset());
                out.putInt(entry.frameBytes()).putInt(entry.codec());
            }
        }
        out.put(sha256(Arrays.copyOf(out.array(), out.position())));
        return out.array();
    }

    private static byte[] scopeBytes(Pack pack) {
        return pack.scope().getBytes(StandardCharsets.UTF_8);
    }

    /** The id of the pack that an index describes. */
    static ChunkDigest idOf(byte[] index) {
        return ChunkDigest.of(Arrays.copyOfRange(index, index.length - ChunkDigest.BYTES, index.length));
    }

    /** @throws TierException CORRUPT: nothing in it is believed unless all of it is right */
    static PackTable decode(byte[] bytes, String name) throws TierException {
        try {
            return parse(bytes);
        } catch (BufferUnderflowException e) {
            throw new TierException(Reason.CORRUPT, name + " ends too early", e);
        } catch (IllegalArgumentException e) {
            throw new TierException(Reason.CORRUPT, name + " is no table of packs: " + e.getMessage(), e);
        }
    }

    private static PackTable parse(byte[] bytes) {
        int bodyBytes = bytes.length - ChunkDigest.BYTES;
        require(bodyBytes > 0, "it is too short");
        byte[] digest = Arrays.copyOfRange(bytes, bodyBytes, bytes.length);
        require(MessageDigest.isEqual(sha256(Arrays.copyOf(bytes, bodyBytes)), digest), "its digest is another");
        ByteBuffer in = ByteBuffer.wrap(bytes, 0, bodyBytes).order(ByteOrder.LITTLE_ENDIAN);
        byte[] magic = new byte[MAGIC.length];
        in.get(magic);
        require(Arrays.equals(magic, MAGIC), "its format is not known");
        UUID copy = new UUID(in.getLong(), in.getLong());
        int count = in.getInt();
        require(count >= 0 && count <= in.remaining() / (ChunkDigest.BYTES + 16), "it has no " + count + " packs");
        List<Pack> packs = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            packs.add(pack(in));
        }
        require(!in.hasRemaining(), "it goes on after its end");
        return new PackTable(copy, packs);
    }

    private static Pack pack(ByteBuffer in) {
        ChunkDigest id = digest(in);
        long sizeBytes = in.getLong();
        require(sizeBytes > 0 && sizeBytes <= MOST_PACK_BYTES, "no pack has " + sizeBytes + " bytes");
        int scopeBytes = in.getInt();
        require(scopeBytes >= 0 && scopeBytes <= MOST_SCOPE_BYTES, "its scope is too long");
        byte[] scope = new byte[scopeBytes];
        in.get(scope);
        int count = in.getInt();
        require(count >= 1 && count <= in.remaining() / ENTRY_BYTES, "it has no " + count + " chunks");
        List<PackEntry> entries = new ArrayList<>(count);
        long end = 0;
        for (int i = 0; i < count; i++) {
            PackEntry entry = new PackEntry(digest(in), in.getInt(), in.getLong(), in.getInt(), in.getInt());
            require(entry.offset() >= end && entry.offset() + entry.frameBytes() <= sizeBytes, "chunks overlap");
            end = entry.offset() + entry.frameBytes();
            entries.add(entry);
        }
        return new Pack(id, sizeBytes, new String(scope, StandardCharsets.UTF_8), entries);
    }

    private static ChunkDigest digest(ByteBuffer in) {
        byte[] bytes = new byte[ChunkDigest.BYTES];
        in.get(bytes);
        return ChunkDigest.of(bytes);
    }

    private static void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new IllegalArgumentException(otherwise);
        }
    }

    private static byte[] sha256(byte[] bytes) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(bytes);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
