package io.gpusnap.gpu;

import java.lang.foreign.Arena;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;

/**
 * The loaded library and how its functions are called. All downcalls are ordinary ones: they may block, and a critical one
 * would hold up garbage collection.
 */
final class NativeLibrary {

    private static final int ERROR_TEXT_BYTES = 1024;

    /** A downcall that gives a {@code gpusnap_status}. */
    @FunctionalInterface
    interface StatusCall {
        int invoke() throws Throwable;
    }

    /** A downcall that gives something else. */
    @FunctionalInterface
    interface ValueCall<T> {
        T invoke() throws Throwable;
    }

    private final Map<NativeFunction, MethodHandle> handles = new EnumMap<>(NativeFunction.class);

    /** Never unloaded: the driver behind it starts threads. */
    private NativeLibrary(SymbolLookup symbols) throws GpuException {
        for (NativeFunction function : NativeFunction.values()) {
            MemorySegment address = symbols.find(function.symbol())
                    .orElseThrow(
                            () -> new GpuException(GpuStatus.UNSUPPORTED, "the library lacks " + function.symbol()));
            handles.put(function, Linker.nativeLinker().downcallHandle(address, function.descriptor()));
        }
    }

    static NativeLibrary load(Path path) throws GpuException {
        if (!Files.isRegularFile(path)) {
            throw new GpuException(GpuStatus.IO, "no library " + path);
        }
        try {
            return new NativeLibrary(SymbolLookup.libraryLookup(path, Arena.global()));
        } catch (IllegalArgumentException notLoadable) {
            throw new GpuException(GpuStatus.IO, "cannot load " + path + ": " + notLoadable.getMessage());
        }
    }

    MethodHandle handle(NativeFunction function) {
        MethodHandle handle = handles.get(function);
        if (handle == null) {
            throw new IllegalStateException(function.symbol());
        }
        return handle;
    }

    void check(StatusCall call) throws GpuException {
        int code = value(call::invoke);
        if (code != GpuStatus.OK.code()) {
            throw new GpuException(GpuStatus.of(code), lastError());
        }
    }

    static <T> T value(ValueCall<T> call) {
        try {
            return call.invoke();
        } catch (RuntimeException | Error problem) {
            throw problem;
        } catch (Throwable impossible) {
            throw new IllegalStateException("a downcall threw a checked exception", impossible);
        }
    }

    /**
     * The text is kept per native thread. A virtual thread that just returned from a downcall is still on the same one, as
     * nothing in between can unmount it.
     */
    private String lastError() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment text = arena.allocate(ERROR_TEXT_BYTES);
            MethodHandle lastError = handle(NativeFunction.LAST_ERROR);
            long length = value(() -> (long) lastError.invokeExact(text, (long) ERROR_TEXT_BYTES));
            return length == 0 ? "no text" : text.getString(0);
        }
    }

    /** @throws IllegalArgumentException for less than nothing, or more than 24 days */
    static int milliseconds(Duration timeout) {
        long milliseconds = timeout.toMillis();
        if (milliseconds < 0 || milliseconds > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("not a timeout: " + timeout);
        }
        return (int) milliseconds;
    }
}
