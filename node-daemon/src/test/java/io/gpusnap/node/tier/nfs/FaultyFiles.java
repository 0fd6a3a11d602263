package io.gpusnap.node.tier.nfs;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The real calls, before which, in the middle of which, or after which something happens. */
public final class FaultyFiles implements ShareFiles {

    /** What happens when half of a file is written; its failure is the call's. */
    @FunctionalInterface
    public interface Middle {
        void reached() throws IOException;
    }

    private final ShareFiles real = new MountedFiles();
    private final AtomicInteger running = new AtomicInteger();
    private volatile Consumer<String> before = call -> {};
    private volatile String failing = "";
    private volatile IOException failure = new IOException();
    private volatile boolean done;
    private volatile @Nullable Middle middle;
    private final AtomicInteger spared = new AtomicInteger();
    private final AtomicInteger failures = new AtomicInteger();
    private volatile BadPlace bad = (file, offset, sizeBytes) -> false;

    /** Where reading gives an error, each time. */
    @FunctionalInterface
    public interface BadPlace {
        boolean isIn(Path file, long offset, long sizeBytes);
    }

    /** From now on. */
    public void bad(BadPlace place) {
        bad = place;
    }

    private interface Call<T> {
        T run() throws IOException;
    }

    private interface Partly {
        void run() throws IOException;
    }

    void before(Consumer<String> what) {
        before = what;
    }

    /** A store on such calls, which is trusted again soon after trouble. */
    public NfsStore store(Path root) {
        return new NfsStore(new NfsSettings(root, Duration.ofSeconds(20), 3, Duration.ofMillis(50)), this);
    }

    /** What is written from now on stops in the middle for this. */
    public void middle(Middle what) {
        middle = what;
    }

    /** The server does not do it, or only a part of a write. */
    void failing(String call, IOException how, int times) {
        failing(call, how, false, 0);
        failures.set(times);
    }

    /** The server does it, and the answer is a failure all the same. */
    void failingAfter(String call, IOException how) {
        failing(call, how, true, 0);
    }

    /**
     * One such call fails.
     *
     * @param afterwards whether the server does it all the same
     * @param sparing how many go well before
     */
    public void failing(String call, IOException how, boolean afterwards, int sparing) {
        failure = how;
        done = afterwards;
        spared.set(sparing);
        failures.set(1);
        failing = call;
    }

    int running() {
        return running.get();
    }

    private <T> T call(String name, Call<T> call) throws IOException {
        return call(name, call, () -> {});
    }

    /** @param partly what is done of it when it fails */
    private <T> T call(String name, Call<T> call, Partly partly) throws IOException {
        running.incrementAndGet();
        try {
            before.accept(name);
            if (name.equals(failing)
                    && spared.getAndDecrement() <= 0
                    && failures.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
                if (done) {
                    call.run();
                } else {
                    partly.run();
                }
                throw failure;
            }
            return call.run();
        } finally {
            running.decrementAndGet();
        }
    }

    @Override
    public void writeNew(Path file, MemorySegment content) throws IOException {
        call(
                "writeNew",
                () -> {
                    write(file, content);
                    return true;
                },
                () -> real.writeNew(file, content.asSlice(0, content.byteSize() / 2)));
    }

    private void write(Path file, MemorySegment content) throws IOException {
        Middle stop = middle;
        if (stop == null) {
            real.writeNew(file, content);
            return;
        }
        long half = content.byteSize() / 2;
        real.writeNew(file, content.asSlice(0, half));
        stop.reached();
        Files.write(file, content.asSlice(half).toArray(ValueLayout.JAVA_BYTE), StandardOpenOption.APPEND);
    }

    @Override
    public void link(Path file, Path newName) throws IOException {
        call("link", () -> {
            real.link(file, newName);
            return true;
        });
    }

    @Override
    public void rename(Path from, Path to) throws IOException {
        call("rename", () -> {
            real.rename(from, to);
            return true;
        });
    }

    @Override
    public void syncFolder(Path folder) throws IOException {
        call("syncFolder", () -> {
            real.syncFolder(folder);
            return true;
        });
    }

    @Override
    public void createFolder(Path folder) throws IOException {
        call("createFolder", () -> {
            real.createFolder(folder);
            return true;
        });
    }

    @Override
    public BasicFileAttributes attributes(Path file) throws IOException {
        return call("attributes", () -> real.attributes(file));
    }

    @Override
    public long read(Path file, long wholeBytes, long offset, MemorySegment target, boolean direct) throws IOException {
        if (bad.isIn(file, offset, target.byteSize())) {
            throw new IOException("Input/output error");
        }
        return call("read", () -> real.read(file, wholeBytes, offset, target, direct));
    }

    @Override
    public List<Path> list(Path folder) throws IOException {
        return call("list", () -> real.list(folder));
    }

    @Override
    public boolean delete(Path file) throws IOException {
        return call("delete", () -> real.delete(file));
    }

    @Override
    public long[] space(Path folder) throws IOException {
        return call("space", () -> real.space(folder));
    }
}
