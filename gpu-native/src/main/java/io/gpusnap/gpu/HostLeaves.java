package io.gpusnap.gpu;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The leaves of the {@code sha256-tree-4k} digest of host memory, by the processor's SHA instructions: two leaves at a time,
 * which is nearly twice as fast as one, and as Java's own. Thread-safe.
 *
 * <p>libgpusnap-leaves travels inside of this jar. It needs neither a driver nor a place on a disk.
 */
public final class HostLeaves {

    public static final int LEAF_BYTES = 4096;
    public static final int DIGEST_BYTES = 32;

    /** What one downcall does: some 0.1 ms, for which it may hold up a garbage collection. */
    private static final long CALL_BYTES = 64L * LEAF_BYTES;

    private static final String LIBRARY = "libgpusnap-leaves.so";

    private final MethodHandle leaves;

    private HostLeaves(MethodHandle leaves) {
        this.leaves = leaves;
    }

    /**
     * Loads the library; it stays loaded.
     *
     * @throws GpuException UNSUPPORTED when this processor has no SHA instructions, IO when the library does not load, its
     *     build for this machine is missing from the jar, say
     */
    public static HostLeaves load() throws GpuException {
        Linker linker = Linker.nativeLinker();
        SymbolLookup symbols = symbols();
        MethodHandle supported =
                linker.downcallHandle(symbols.findOrThrow("gpusnap_leaves_supported"), FunctionDescriptor.of(JAVA_INT));
        if (NativeLibrary.value(() -> (int) supported.invokeExact()) == 0) {
            throw new GpuException(GpuStatus.UNSUPPORTED, "this processor has no SHA instructions");
        }
        return new HostLeaves(linker.downcallHandle(
                symbols.findOrThrow("gpusnap_leaves"),
                FunctionDescriptor.ofVoid(ADDRESS, JAVA_LONG, ADDRESS, ADDRESS),
                Linker.Option.critical(true)));
    }

    /**
     * @param data any memory that can be read; of the last leaf there may be less than 4096 bytes. A mapped file must not
     *     shrink meanwhile: where Java would throw, the process ends
     * @param digests takes 32 bytes for each leaf, from its start
     * @param zeros takes a byte for each leaf: 1 when all its bytes are zero, else 0
     * @throws IndexOutOfBoundsException when one of the arrays is too small
     */
    public void digest(MemorySegment data, byte[] digests, byte[] zeros) {
        long size = data.byteSize();
        long count = Math.ceilDiv(size, LEAF_BYTES);
        MemorySegment digestsOut = MemorySegment.ofArray(digests).asSlice(0, count * DIGEST_BYTES);
        MemorySegment zerosOut = MemorySegment.ofArray(zeros).asSlice(0, count);
        for (long at = 0; at < size; at += CALL_BYTES) {
            MemorySegment piece = data.asSlice(at, Math.min(CALL_BYTES, size - at));
            MemorySegment pieceDigests = digestsOut.asSlice(at / LEAF_BYTES * DIGEST_BYTES);
            MemorySegment pieceZeros = zerosOut.asSlice(at / LEAF_BYTES);
            NativeLibrary.value(() -> {
                leaves.invokeExact(piece, piece.byteSize(), pieceDigests, pieceZeros);
                return 0;
            });
        }
    }

    /** From a file without a name: no folder has to be writable or allow programs. */
    private static SymbolLookup symbols() throws GpuException {
        try (InputStream library = HostLeaves.class.getResourceAsStream(LIBRARY)) {
            if (library == null) {
                throw new GpuException(GpuStatus.IO, LIBRARY + " is not in the jar");
            }
            try (Descriptor file = Descriptor.inMemory(LIBRARY)) {
                Path path = file.path();
                Files.write(path, library.readAllBytes());
                // By name: a path is first resolved to the file's own, and this one has none.
                return SymbolLookup.libraryLookup(path.toString(), Arena.global());
            }
        } catch (IOException | IllegalArgumentException e) {
            throw new GpuException(GpuStatus.IO, "cannot load " + LIBRARY + ": " + e.getMessage());
        }
    }
}
