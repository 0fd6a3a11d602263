package io.gpusnap.node.tier.nfs;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/** The real calls, before which something happens. */
final class FaultyFiles implements ShareFiles {

    private final ShareFiles real = new MountedFiles();
    private final AtomicInteger running = new AtomicInteger();
    private volatile Consumer<String> before = call -> {};
    private volatile String failing = "";
    private volatile IOException failure = new IOException();
    private final AtomicInteger failures = new AtomicInteger();

    private interface Call<T> {
        T run() throws IOException;
    }

    private interface Partly {
        void run() throws IOException;
    }

    void before(Consumer<String> what) {
        before = what;
    }

    void failing(String call, IOException how, int times) {
        failure = how;
        failures.set(times);
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
            if (name.equals(failing) && failures.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
                partly.run();
                throw new IOException(failure.getMessage());
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
                    real.writeNew(file, content);
                    return true;
                },
                () -> real.writeNew(file, content.asSlice(0, content.byteSize() / 2)));
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
