package io.gpusnap.gpu;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * Memory by the system's own calls. Who writes to a mapping of a file for which there is no room left gets a signal; who asks for its
 * pages first gets an answer.
 */
public final class MappedPages {

    /** The same on all of Linux's machines that we run on, from 5.14 on. */
    private static final int POPULATE_WRITE = 23;

    private static final int DONT_NEED = 4;

    private static final int READ_AND_WRITE = 3;
    private static final int PRIVATE_ANONYMOUS = 0x22;
    private static final int NO_FILE = -1;
    private static final long FAILED = -1;

    private static final Linker LINKER = Linker.nativeLinker();
    private static final MethodHandle ADVISE = LINKER.downcallHandle(
            LINKER.defaultLookup().findOrThrow("madvise"),
            FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT));

    private static final MethodHandle MAP = LINKER.downcallHandle(
            LINKER.defaultLookup().findOrThrow("mmap"),
            FunctionDescriptor.of(ADDRESS, ADDRESS, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG));
    private static final MethodHandle UNMAP = LINKER.downcallHandle(
            LINKER.defaultLookup().findOrThrow("munmap"), FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG));

    private MappedPages() {}

    /**
     * Memory of zeros that takes pages as they are touched, and that no allocator keeps.
     *
     * @param sizeBytes whole pages
     * @return valid until it is released, which nothing checks
     */
    static MemorySegment reserve(long sizeBytes) {
        MemorySegment found = NativeLibrary.value(() -> (MemorySegment)
                MAP.invokeExact(MemorySegment.NULL, sizeBytes, READ_AND_WRITE, PRIVATE_ANONYMOUS, NO_FILE, 0L));
        if (found.address() == FAILED) {
            throw new OutOfMemoryError("the system has no " + sizeBytes + " bytes of memory");
        }
        return found.reinterpret(sizeBytes);
    }

    /** @param memory as it was reserved */
    static void release(MemorySegment memory) {
        int result = NativeLibrary.value(() -> (int) UNMAP.invokeExact(memory, memory.byteSize()));
        if (result != 0) {
            throw new IllegalArgumentException("not reserved: " + memory);
        }
    }

    /**
     * Makes the pages of a range, so that it can be written. They stay the file's.
     *
     * @param range of a shared mapping; begins with a page
     * @return false: the kernel cannot, or there is no room; some of the pages may be there
     */
    public static boolean make(MemorySegment range) {
        return advise(range, POPULATE_WRITE);
    }

    /** Takes a range out of this process's page table. The file keeps what was written. */
    public static void letGo(MemorySegment range) {
        if (!advise(range, DONT_NEED)) {
            throw new IllegalArgumentException("no range of a mapping: " + range);
        }
    }

    private static boolean advise(MemorySegment range, int advice) {
        return NativeLibrary.value(() -> (int) ADVISE.invokeExact(range, range.byteSize(), advice)) == 0;
    }
}
