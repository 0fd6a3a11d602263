package io.gpusnap.gpu;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Every function of gpusnap.h and its signature. A test compares names and signatures with the header, and names with the
 * library.
 */
enum NativeFunction {
    ABI_VERSION(JAVA_INT),
    VERSION_STRING(ADDRESS),
    LAST_ERROR(JAVA_LONG, ADDRESS, JAVA_LONG),
    INIT(JAVA_INT, ADDRESS),
    DRIVER_QUERY(JAVA_INT, ADDRESS),
    GPU_QUERY(JAVA_INT, JAVA_INT, ADDRESS),
    PROCESS_QUERY(JAVA_INT, JAVA_INT, ADDRESS),
    PROCESS_LOCK(JAVA_INT, JAVA_INT, JAVA_INT),
    PROCESS_CHECKPOINT(JAVA_INT, JAVA_INT),
    PROCESS_RESTORE(JAVA_INT, JAVA_INT, ADDRESS, JAVA_LONG),
    PROCESS_UNLOCK(JAVA_INT, JAVA_INT),
    PROCESS_STILL(JAVA_INT, JAVA_INT, ADDRESS),
    STILL_END(null, ADDRESS),
    PROCESS_WRITE(JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS, JAVA_LONG),
    PROCESS_READ(JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS, JAVA_LONG),
    POOL_OPEN(JAVA_INT, ADDRESS, ADDRESS),
    POOL_BASE(ADDRESS, ADDRESS),
    POOL_SIZE_BYTES(JAVA_LONG, ADDRESS),
    POOL_PINNED(JAVA_INT, ADDRESS),
    POOL_CLOSE(null, ADDRESS),
    TARGET_OPEN(JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, ADDRESS),
    TARGET_CLOSE(null, ADDRESS),
    TARGET_QUERY(JAVA_INT, ADDRESS, ADDRESS),
    TARGET_QUIESCE(JAVA_INT, ADDRESS, JAVA_INT),
    TARGET_ALLOCATIONS(JAVA_INT, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS),
    TARGET_HINTS(JAVA_INT, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS),
    TARGET_GPUS(JAVA_INT, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS),
    HOLD_OPEN(JAVA_INT, ADDRESS),
    HOLD_CLOSE(null, ADDRESS),
    TARGET_HOLD(JAVA_INT, ADDRESS, ADDRESS),
    TARGET_GIVE_BACK(JAVA_INT, ADDRESS, ADDRESS),
    AHEAD_OPEN(JAVA_INT, ADDRESS, JAVA_LONG, ADDRESS),
    AHEAD_MAKE_NEXT(JAVA_INT, ADDRESS, ADDRESS),
    TARGET_GIVE_AHEAD(JAVA_INT, ADDRESS, ADDRESS),
    AHEAD_CLOSE(JAVA_INT, ADDRESS),
    TARGET_IMPORT(JAVA_INT, ADDRESS, ADDRESS),
    TARGET_UNIMPORT(JAVA_INT, ADDRESS),
    TARGET_RELEASE(JAVA_INT, ADDRESS),
    TARGET_REMAP(JAVA_INT, ADDRESS),
    TARGET_RESUME(JAVA_INT, ADDRESS),
    COPY(JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS, JAVA_LONG, ADDRESS),
    DIGEST_DEVICE(JAVA_INT, JAVA_INT, ADDRESS, JAVA_LONG, ADDRESS),
    FILL_ZERO(JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG),
    MEASURE_COPY(JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, JAVA_LONG, JAVA_INT, ADDRESS),
    STORAGE_QUERY(JAVA_INT, ADDRESS, ADDRESS),
    READ_TO_DEVICE(JAVA_INT, JAVA_INT, ADDRESS, JAVA_LONG, ADDRESS);

    private final FunctionDescriptor descriptor;

    NativeFunction(@Nullable MemoryLayout result, MemoryLayout... parameters) {
        this.descriptor =
                result == null ? FunctionDescriptor.ofVoid(parameters) : FunctionDescriptor.of(result, parameters);
    }

    String symbol() {
        return "gpusnap_" + name().toLowerCase(Locale.ROOT);
    }

    FunctionDescriptor descriptor() {
        return descriptor;
    }
}
