package io.gpusnap.gpu;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * Pages of a mapped file, by the system's own calls. Who writes to a mapping of a file for which there is no room left gets a signal;
 * who asks for the pages first gets an answer.
 */
public final class MappedPages {

    /** The same on all of Linux's machines that we run on, from 5.14 on. */
    private static final int POPULATE_WRITE = 23;

    private static final int DONT_NEED = 4;

    private static final Linker LINKER = Linker.nativeLinker();
    private static final MethodHandle ADVISE = LINKER.downcallHandle(
            LINKER.defaultLookup().findOrThrow("madvise"),
            FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT));

    private MappedPages() {}

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
