package io.gpusnap.gpu;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.StructLayout;
import java.util.List;

/** The structs of gpusnap.h under their C names, field by field. A test compares them with the header. */
final class Layouts {

    static final StructLayout INIT_ARGS = struct(
            "gpusnap_init_args",
            JAVA_INT.withName("struct_size"),
            JAVA_INT.withName("abi_version"),
            ADDRESS.withName("driver_path"));

    static final StructLayout DRIVER_INFO = struct(
            "gpusnap_driver_info",
            JAVA_INT.withName("struct_size"),
            JAVA_INT.withName("cuda_driver_version"),
            JAVA_INT.withName("gpu_count"),
            JAVA_BYTE.withName("simulated"),
            JAVA_BYTE.withName("has_checkpoint"),
            JAVA_BYTE.withName("has_gpu_remap"),
            JAVA_BYTE.withName("has_custom_storage"),
            text("driver_build", 64));

    static final StructLayout GPU_INFO = struct(
            "gpusnap_gpu_info",
            JAVA_INT.withName("struct_size"),
            JAVA_INT.withName("ordinal"),
            text("uuid", 48),
            text("name", 128),
            JAVA_LONG.withName("memory_bytes"),
            JAVA_LONG.withName("free_bytes"),
            JAVA_LONG.withName("granularity_bytes"),
            JAVA_INT.withName("compute_major"),
            JAVA_INT.withName("compute_minor"),
            JAVA_INT.withName("pci_domain"),
            JAVA_INT.withName("pci_bus"),
            JAVA_INT.withName("pci_device"),
            JAVA_BYTE.withName("mig_enabled"),
            JAVA_BYTE.withName("exports_posix_fd"),
            MemoryLayout.paddingLayout(2));

    static final StructLayout GPU_PAIR = struct("gpusnap_gpu_pair", text("from_uuid", 48), text("to_uuid", 48));

    static final StructLayout POOL_ARGS = struct(
            "gpusnap_pool_args",
            JAVA_INT.withName("struct_size"),
            JAVA_INT.withName("reserved"),
            ADDRESS.withName("path"),
            JAVA_LONG.withName("size_bytes"));

    static final StructLayout TARGET_STATUS = struct(
            "gpusnap_target_status",
            JAVA_INT.withName("struct_size"),
            JAVA_INT.withName("state"),
            JAVA_INT.withName("refusals"),
            JAVA_INT.withName("protocol_version"),
            JAVA_LONG.withName("allocation_count"),
            JAVA_LONG.withName("managed_bytes"),
            JAVA_LONG.withName("driver_bytes"),
            text("preload_version", 32),
            JAVA_INT.withName("endable"),
            JAVA_INT.withName("reserved"));

    static final StructLayout ALLOCATION = struct(
            "gpusnap_allocation",
            JAVA_LONG.withName("id"),
            JAVA_LONG.withName("address"),
            JAVA_LONG.withName("size_bytes"),
            JAVA_LONG.withName("local_address"),
            JAVA_INT.withName("gpu_ordinal"),
            JAVA_INT.withName("flags"));

    static final StructLayout HINT = struct(
            "gpusnap_hint",
            JAVA_LONG.withName("address"),
            JAVA_LONG.withName("size_bytes"),
            JAVA_LONG.withName("allocation_id"),
            JAVA_LONG.withName("offset_bytes"),
            text("tag", 32));

    static final StructLayout TARGET_GPU =
            struct("gpusnap_target_gpu", JAVA_INT.withName("ordinal"), JAVA_INT.withName("reserved"));

    static final StructLayout AHEAD_ITEM = struct(
            "gpusnap_ahead_item",
            JAVA_LONG.withName("id"),
            JAVA_LONG.withName("size_bytes"),
            JAVA_LONG.withName("local_address"),
            JAVA_INT.withName("gpu_ordinal"),
            JAVA_INT.withName("reserved"));

    static final StructLayout COPY_ITEM = struct(
            "gpusnap_copy_item",
            JAVA_LONG.withName("device_address"),
            ADDRESS.withName("host_address"),
            JAVA_LONG.withName("size_bytes"));

    static final StructLayout SPAN =
            struct("gpusnap_span", JAVA_LONG.withName("device_address"), JAVA_LONG.withName("size_bytes"));

    static final StructLayout DIGEST =
            struct("gpusnap_digest", bytes("sha256_tree", 32), JAVA_BYTE.withName("zero"), bytes("reserved", 7));

    static final StructLayout STORAGE_ARGS = struct(
            "gpusnap_storage_args",
            JAVA_INT.withName("struct_size"),
            JAVA_INT.withName("compatibility"),
            ADDRESS.withName("library_path"),
            ADDRESS.withName("folder"));

    static final StructLayout STORAGE_INFO = struct(
            "gpusnap_storage_info",
            JAVA_INT.withName("struct_size"),
            JAVA_BYTE.withName("available"),
            JAVA_BYTE.withName("direct"),
            bytes("reserved", 2),
            text("reason", 512));

    static final StructLayout READ_ITEM = struct(
            "gpusnap_read_item",
            ADDRESS.withName("path"),
            JAVA_LONG.withName("file_offset"),
            JAVA_LONG.withName("device_address"),
            JAVA_LONG.withName("size_bytes"));

    static final List<StructLayout> ALL = List.of(
            INIT_ARGS,
            DRIVER_INFO,
            GPU_INFO,
            GPU_PAIR,
            POOL_ARGS,
            TARGET_STATUS,
            ALLOCATION,
            HINT,
            TARGET_GPU,
            AHEAD_ITEM,
            COPY_ITEM,
            SPAN,
            DIGEST,
            STORAGE_ARGS,
            STORAGE_INFO,
            READ_ITEM);

    private Layouts() {}

    private static StructLayout struct(String name, MemoryLayout... fields) {
        return MemoryLayout.structLayout(fields).withName(name);
    }

    private static MemoryLayout text(String name, long capacityBytes) {
        return bytes(name, capacityBytes);
    }

    private static MemoryLayout bytes(String name, long count) {
        return MemoryLayout.sequenceLayout(count, JAVA_BYTE).withName(name);
    }
}
