package io.gpusnap.gpu;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.nio.charset.Charset;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * A file or folder held open by its number. What is done through {@link #path} meets this very one, whatever its name leads
 * to by now; Java's own channels have no such path, and its view of a folder changes owners by name.
 */
public final class Descriptor implements AutoCloseable {

    /** openat: names are relative to the working folder. */
    private static final int HERE = -100;

    private static final int WRITE_ONLY = 01;
    private static final int CREATE = 0100;
    private static final int EXCLUSIVE = 0200;
    private static final int NO_FOLLOW = System.getProperty("os.arch").equals("aarch64") ? 0100000 : 0400000;
    private static final int CLOSE_ON_EXEC = 02000000;
    private static final int MEMFD_CLOSE_ON_EXEC = 1;
    /** Only a place: opening a pipe or a device this way neither blocks nor touches it. */
    private static final int PLACE = 010000000;

    private static final int NOT_FOUND = 2;
    private static final int EXISTS = 17;

    private static final Linker LINKER = Linker.nativeLinker();
    private static final MethodHandle OPENAT = LINKER.downcallHandle(
            LINKER.defaultLookup().findOrThrow("openat"),
            FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT),
            Linker.Option.captureCallState("errno"),
            Linker.Option.firstVariadicArg(3));
    private static final MethodHandle MEMFD_CREATE = LINKER.downcallHandle(
            LINKER.defaultLookup().findOrThrow("memfd_create"),
            FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT),
            Linker.Option.captureCallState("errno"));
    private static final MethodHandle CLOSE = LINKER.downcallHandle(
            LINKER.defaultLookup().findOrThrow("close"), FunctionDescriptor.of(JAVA_INT, JAVA_INT));
    private static final VarHandle ERRNO =
            Linker.Option.captureStateLayout().varHandle(MemoryLayout.PathElement.groupElement("errno"));
    private static final Charset NAMES = Charset.forName(System.getProperty("sun.jnu.encoding", "UTF-8"));

    private final int number;
    private boolean closed;

    private Descriptor(int number) {
        this.number = number;
    }

    /** Follows links. */
    public static Descriptor of(Path path) throws IOException {
        return open(HERE, path.toString(), PLACE, 0);
    }

    /** @return a file, folder, link or whatever else has this name in the folder, itself */
    public Descriptor look(String name) throws IOException {
        return open(number, name, PLACE | NO_FOLLOW, 0);
    }

    /** @return an empty file in the folder, open for writing; there was none */
    public Descriptor create(String name) throws IOException {
        return open(number, name, WRITE_ONLY | CREATE | EXCLUSIVE | NO_FOLLOW, 0666);
    }

    /** @return an empty file in memory, which no folder lists; the name is for those who look into /proc */
    static Descriptor inMemory(String name) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(Linker.Option.captureStateLayout());
            int number = (int) MEMFD_CREATE.invokeExact(state, arena.allocateFrom(name, NAMES), MEMFD_CLOSE_ON_EXEC);
            return opened(name, number, state);
        } catch (IOException | RuntimeException | Error problem) {
            throw problem;
        } catch (Throwable impossible) {
            throw new IllegalStateException("a downcall threw a checked exception", impossible);
        }
    }

    /** For Java's file operations, which follow it to this very file. */
    public Path path() {
        return Path.of("/proc/self/fd/" + number);
    }

    private static Descriptor open(int folder, String name, int flags, int mode) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(Linker.Option.captureStateLayout());
            MemorySegment text = arena.allocateFrom(name, NAMES);
            int number = (int) OPENAT.invokeExact(state, folder, text, flags | CLOSE_ON_EXEC, mode);
            return opened(name, number, state);
        } catch (IOException | RuntimeException | Error problem) {
            throw problem;
        } catch (Throwable impossible) {
            throw new IllegalStateException("a downcall threw a checked exception", impossible);
        }
    }

    private static Descriptor opened(String name, int number, MemorySegment state) throws IOException {
        if (number < 0) {
            throw failure(name, (int) ERRNO.get(state, 0L));
        }
        return new Descriptor(number);
    }

    private static IOException failure(String name, int errno) {
        return switch (errno) {
            case NOT_FOUND -> new NoSuchFileException(name);
            case EXISTS -> new FileAlreadyExistsException(name);
            default -> new FileSystemException(name, null, "cannot be opened, error number " + errno);
        };
    }

    /** Harmless when repeated: the number may be another file's by then. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        try {
            // Nothing is lost where it fails: what was written went through channels of their own.
            int ignored = (int) CLOSE.invokeExact(number);
        } catch (RuntimeException | Error problem) {
            throw problem;
        } catch (Throwable impossible) {
            throw new IllegalStateException("a downcall threw a checked exception", impossible);
        }
    }
}
