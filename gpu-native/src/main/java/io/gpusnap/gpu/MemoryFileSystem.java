package io.gpusnap.gpu;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.nio.charset.Charset;
import java.nio.file.FileSystemException;
import java.nio.file.Path;

/**
 * Mounts a tmpfs and takes it down again, in this process's mount namespace and by the system's own calls: slim images have no
 * program for it.
 */
public final class MemoryFileSystem {

    private static final String TYPE = "tmpfs";

    private static final long NO_SETUID = 2;
    private static final long NO_DEVICES = 4;
    private static final long NO_PROGRAMS = 8;
    /** umount2: a link is not followed. */
    private static final int NO_FOLLOW = 8;

    private static final int NOT_PERMITTED = 1;
    private static final int NO_ACCESS = 13;
    private static final int BUSY = 16;
    private static final int INVALID = 22;

    private static final Linker LINKER = Linker.nativeLinker();
    private static final MethodHandle MOUNT = LINKER.downcallHandle(
            LINKER.defaultLookup().findOrThrow("mount"),
            FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS),
            Linker.Option.captureCallState("errno"));
    private static final MethodHandle UNMOUNT = LINKER.downcallHandle(
            LINKER.defaultLookup().findOrThrow("umount2"),
            FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT),
            Linker.Option.captureCallState("errno"));
    private static final VarHandle ERRNO =
            Linker.Option.captureStateLayout().varHandle(MemoryLayout.PathElement.groupElement("errno"));
    private static final Charset NAMES = Charset.forName(System.getProperty("sun.jnu.encoding", "UTF-8"));

    private MemoryFileSystem() {}

    /**
     * Over a folder, which it hides. Nothing on it can be run, nor be a device.
     *
     * @param source what tables of mounts call it
     * @param options such as {@code size=1g,mode=0700}
     * @throws FileSystemException its reason says what is missing
     */
    public static void mount(String source, Path folder, String options) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(Linker.Option.captureStateLayout());
            int result = (int) MOUNT.invokeExact(
                    state,
                    arena.allocateFrom(source, NAMES),
                    arena.allocateFrom(folder.toString(), NAMES),
                    arena.allocateFrom(TYPE),
                    NO_SETUID | NO_DEVICES | NO_PROGRAMS,
                    arena.allocateFrom(options));
            check(result, state, folder);
        } catch (IOException | RuntimeException | Error problem) {
            throw problem;
        } catch (Throwable impossible) {
            throw new IllegalStateException("a downcall threw a checked exception", impossible);
        }
    }

    /**
     * With all that is on it. What is mounted there but is no tmpfs goes as well: look first.
     *
     * @throws FileSystemException when something of it is in use, or nothing is mounted there; then nothing has changed
     */
    public static void unmount(Path folder) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(Linker.Option.captureStateLayout());
            int result = (int) UNMOUNT.invokeExact(state, arena.allocateFrom(folder.toString(), NAMES), NO_FOLLOW);
            check(result, state, folder);
        } catch (IOException | RuntimeException | Error problem) {
            throw problem;
        } catch (Throwable impossible) {
            throw new IllegalStateException("a downcall threw a checked exception", impossible);
        }
    }

    private static void check(int result, MemorySegment state, Path folder) throws FileSystemException {
        if (result == 0) {
            return;
        }
        int number = (int) ERRNO.get(state, 0L);
        throw new FileSystemException(
                folder.toString(),
                null,
                switch (number) {
                    case NOT_PERMITTED, NO_ACCESS -> "it takes CAP_SYS_ADMIN, as root has it outside of containers";
                    case BUSY -> "it is in use";
                    case INVALID -> "the kernel does not know an option, or nothing is mounted there";
                    default -> "error number " + number;
                });
    }
}
