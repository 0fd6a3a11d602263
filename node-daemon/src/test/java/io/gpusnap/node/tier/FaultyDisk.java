package io.gpusnap.node.tier;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/** The real disk, on which something happens when half of a file is written, or when it is to get its name. */
public final class FaultyDisk implements DiskCalls {

    private final DiskCalls real = new LocalDisk();
    private final ChunkTierContract.Middle middle;
    private ChunkTierContract.Middle naming = () -> {};
    private Set<Path> bad = Set.of();

    FaultyDisk(ChunkTierContract.Middle middle) {
        this.middle = middle;
    }

    /**
     * A store on a disk that is full once.
     *
     * @param calls that it still takes before that, and which a test may change
     */
    public static StoreRoot full(Path folder, AtomicInteger calls) throws TierException {
        FaultyDisk disk = new FaultyDisk(() -> take(calls));
        disk.naming = () -> take(calls);
        return StoreRoot.open(folder, disk);
    }

    private static void take(AtomicInteger calls) throws IOException {
        if (calls.getAndDecrement() == 0) {
            throw new IOException("No space left on device");
        }
    }

    /** A store on a disk with bad places, which a test may change. */
    public static StoreRoot unreadable(Path folder, Set<Path> bad) throws TierException {
        FaultyDisk disk = new FaultyDisk(() -> {});
        disk.bad = bad;
        return StoreRoot.open(folder, disk);
    }

    /** A store on such a disk: a chunk or what belongs to it stops half-way, what the store makes when it is opened does not. */
    static StoreRoot under(Path folder, ChunkTierContract.Middle middle) throws TierException {
        AtomicBoolean opened = new AtomicBoolean();
        StoreRoot root = StoreRoot.open(folder, new FaultyDisk(() -> {
            if (opened.get()) {
                middle.reached();
            }
        }));
        opened.set(true);
        return root;
    }

    /** The store as the next daemon opens it, were the one that has it killed now: a copy of all that is there. */
    static StoreRoot imageOf(Path folder, Path elsewhere) throws Exception {
        Path image = elsewhere.resolve(UUID.randomUUID().toString());
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path path : all.toList()) {
                Files.copy(path, image.resolve(folder.relativize(path)));
            }
        }
        return StoreRoot.open(image);
    }

    static void assertHoldsNoChunk(Path folder) throws IOException {
        assertThat(folder.resolve("tmp")).isEmptyDirectory();
        try (Stream<Path> chunks = Files.walk(folder.resolve("chunks"))) {
            assertThat(chunks.filter(Files::isRegularFile)).isEmpty();
        }
    }

    /** The next file does not get its name. */
    void failRename() {
        AtomicBoolean nameless = new AtomicBoolean(true);
        naming = () -> {
            if (nameless.compareAndSet(true, false)) {
                throw new IOException("Input/output error");
            }
        };
    }

    @Override
    public boolean writeNew(Path file, MemorySegment content) throws IOException {
        long half = content.byteSize() / 2;
        real.writeNew(file, content.asSlice(0, half));
        middle.reached();
        Files.write(file, content.asSlice(half).toArray(ValueLayout.JAVA_BYTE), StandardOpenOption.APPEND);
        return true;
    }

    @Override
    public void rename(Path from, Path to) throws IOException {
        naming.reached();
        real.rename(from, to);
    }

    @Override
    public byte[] read(Path file) throws IOException {
        if (bad.contains(file)) {
            throw new IOException("Input/output error");
        }
        return real.read(file);
    }
}
