package io.gpusnap.node.tier;

import io.gpusnap.node.store.ChunkDigest;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import java.util.UUID;

/**
 * What each slot of the pool holds, in a mapped file beside it, so that it outlives the daemon as the pool does. 64 bytes a
 * slot: state, size, digest, owner. A record is written FREE first and gets its state last; a death in between leaves a
 * free slot. What it says of content is a hint: content found after a restart is verified before it is used.
 */
final class SlotIndex {

    enum State {
        FREE,
        /** Belongs to an operation, by its id, until that ends. */
        OWNED,
        /** A copy of a chunk that a durable tier has. */
        CLEAN
    }

    private static final long HEADER_BYTES = 64;
    private static final long RECORD_BYTES = 64;
    private static final long MAGIC = 0x31584449_50534e47L; // "GNSPIDX1", little endian
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
    private static final State[] STATES = State.values();

    private final MemorySegment map;
    private final int slots;

    private SlotIndex(MemorySegment map, int slots) {
        this.map = map;
        this.slots = slots;
    }

    /** An index of another format is emptied; one of another size keeps the slots that are still there. */
    static SlotIndex open(Path file, int slots) throws IOException {
        try (FileChannel channel = FileChannel.open(
                file,
                Set.of(
                        StandardOpenOption.CREATE,
                        StandardOpenOption.READ,
                        StandardOpenOption.WRITE,
                        LinkOption.NOFOLLOW_LINKS),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")))) {
            long size = HEADER_BYTES + slots * RECORD_BYTES;
            channel.truncate(size);
            MemorySegment map = channel.map(FileChannel.MapMode.READ_WRITE, 0, size, Arena.ofAuto());
            if (map.get(LONG, 0) != MAGIC) {
                map.fill((byte) 0);
                map.set(LONG, 0, MAGIC);
            }
            return new SlotIndex(map, slots);
        }
    }

    /** What the file says, to be read only: the file stays as it is, and where there is none, none is made. */
    static SlotIndex look(Path file, int slots) throws IOException {
        MemorySegment copy = Arena.ofAuto().allocate(HEADER_BYTES + slots * RECORD_BYTES, Long.BYTES);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS)) {
            MemorySegment found = channel.map(
                    FileChannel.MapMode.READ_ONLY, 0, Math.min(channel.size(), copy.byteSize()), Arena.ofAuto());
            if (found.byteSize() >= HEADER_BYTES && found.get(LONG, 0) == MAGIC) {
                MemorySegment.copy(found, 0, copy, 0, found.byteSize());
            }
        } catch (NoSuchFileException e) {
            // Nobody has worked here since the machine started: every slot is free.
        }
        return new SlotIndex(copy, slots);
    }

    int slots() {
        return slots;
    }

    State state(int slot) {
        int state = map.get(INT, at(slot));
        return state >= 0 && state < STATES.length ? STATES[state] : State.FREE;
    }

    int sizeBytes(int slot) {
        return map.get(INT, at(slot) + 4);
    }

    ChunkDigest digest(int slot) {
        return ChunkDigest.of(map.asSlice(at(slot) + 8, ChunkDigest.BYTES).toArray(ValueLayout.JAVA_BYTE));
    }

    UUID owner(int slot) {
        return new UUID(map.get(LONG, at(slot) + 40), map.get(LONG, at(slot) + 48));
    }

    void free(int slot) {
        setState(slot, State.FREE);
    }

    void own(int slot, UUID owner) {
        setState(slot, State.FREE);
        map.set(LONG, at(slot) + 40, owner.getMostSignificantBits());
        map.set(LONG, at(slot) + 48, owner.getLeastSignificantBits());
        setState(slot, State.OWNED);
    }

    void clean(int slot, ChunkDigest digest, int sizeBytes) {
        setState(slot, State.FREE);
        map.set(INT, at(slot) + 4, sizeBytes);
        MemorySegment.copy(digest.bytes(), 0, map, ValueLayout.JAVA_BYTE, at(slot) + 8, ChunkDigest.BYTES);
        setState(slot, State.CLEAN);
    }

    private void setState(int slot, State state) {
        INT.varHandle().setRelease(map, at(slot), state.ordinal());
    }

    private static long at(int slot) {
        return HEADER_BYTES + slot * RECORD_BYTES;
    }
}
