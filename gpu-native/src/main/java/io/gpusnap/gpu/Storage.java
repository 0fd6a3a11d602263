package io.gpusnap.gpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Files straight into device memory (GPUDirect Storage), where the vendor's cuFile is installed. Thread-safe. */
public final class Storage {

    private final NativeLibrary library;

    Storage(NativeLibrary library) {
        this.library = library;
    }

    /**
     * Whether files can be read. Where the kernel side is there, or in compatibility, this loads and starts cuFile, which has
     * threads and device memory of its own, until the process ends.
     *
     * @param compatibility also where bytes would pass through host memory, because there is no kernel side
     * @param cufile path of libcufile; the one that the dynamic linker finds when empty
     * @param folder of the files that will be read: a small one is written there and read, since cuFile tells only then whether
     *     it serves that file system; when empty nothing is tried
     * @throws GpuException STATE when another one was loaded before
     */
    public StorageInfo query(boolean compatibility, Optional<Path> cufile, Optional<Path> folder) throws GpuException {
        try (Arena arena = Arena.ofConfined()) {
            Struct args = Struct.allocate(arena, Layouts.STORAGE_ARGS);
            args.setInt("compatibility", compatibility ? 1 : 0);
            cufile.ifPresent(at -> args.setAddress("library_path", arena.allocateFrom(at.toString())));
            folder.ifPresent(at -> args.setAddress("folder", arena.allocateFrom(at.toString())));
            Struct info = Struct.allocate(arena, Layouts.STORAGE_INFO);
            MethodHandle query = library.handle(NativeFunction.STORAGE_QUERY);
            library.check(() -> (int) query.invokeExact(args.segment(), info.segment()));
            return StorageInfo.from(info);
        }
    }

    /**
     * Reads all items past the page cache, one after the other, and says what the device then holds: the digest at {@code i}
     * was computed by the GPU from its own memory where item {@code i} went. Items are as {@link DeviceSpan} allows.
     *
     * @throws GpuException STATE before a query found it available, IO when a file cannot be read or is too short, PERMISSION
     *     when it is no regular file, UNSUPPORTED when it or its file system cannot be read like this; any part may have been
     *     read then
     */
    public List<DeviceDigest> read(int gpuOrdinal, List<FileItem> items) throws GpuException {
        if (items.isEmpty()) {
            return List.of();
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment array = arena.allocate(Layouts.READ_ITEM, items.size());
            long index = 0;
            for (FileItem item : items) {
                Struct struct = Struct.element(array, Layouts.READ_ITEM, index++);
                struct.setAddress("path", arena.allocateFrom(item.path().toString()));
                struct.setLong("file_offset", item.fileOffset());
                struct.setLong("device_address", item.deviceAddress());
                struct.setLong("size_bytes", item.sizeBytes());
            }
            long count = items.size();
            MemorySegment digests = arena.allocate(Layouts.DIGEST, count);
            MethodHandle read = library.handle(NativeFunction.READ_TO_DEVICE);
            library.check(() -> (int) read.invokeExact(gpuOrdinal, array, count, digests));
            return DeviceDigest.all(digests, count);
        }
    }
}
