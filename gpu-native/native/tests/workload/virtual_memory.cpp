// Virtual memory management by the application itself, as PyTorch's expandable segments and NCCL do it.
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "workload/commands.h"
#include "workload/driver.h"
#include "workload/memory.h"

namespace workload {
namespace {

CUmemAllocationProp properties(bool shareable) {
    CUmemAllocationProp wanted{};
    wanted.type = CU_MEM_ALLOCATION_TYPE_PINNED;
    wanted.location.type = CU_MEM_LOCATION_TYPE_DEVICE;
    wanted.requestedHandleTypes = shareable ? CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR : CU_MEM_HANDLE_TYPE_NONE;
    return wanted;
}

void allow(CUdeviceptr address, size_t size, CUmemAccess_flags flags) {
    CUmemAccessDesc description{};
    description.location.type = CU_MEM_LOCATION_TYPE_DEVICE;
    description.flags = flags;
    DRIVER_CALL(driver(), cuMemSetAccess, address, size, &description, 1);
}

struct Twice {
    CUdeviceptr first = 0;
    CUdeviceptr second = 0;
    size_t size = 0;
    CUmemGenericAllocationHandle handle = 0;
};

Twice& twice() {
    static Twice only;
    return only;
}

// One block mapped at two places. Both times whole: real drivers map no part of a block.
std::string create_twice(const Arguments& arguments) {
    const Functions& functions = driver();
    CUmemAllocationProp wanted = properties(false);
    size_t granularity = 0;
    DRIVER_CALL(functions, cuMemGetAllocationGranularity, &granularity, &wanted, CU_MEM_ALLOC_GRANULARITY_MINIMUM);
    Twice& made = twice();
    made.size = (number(arguments, 0) / granularity + 1) * granularity;
    DRIVER_CALL(functions, cuMemCreate, &made.handle, made.size, &wanted, 0);
    DRIVER_CALL(functions, cuMemAddressReserve, &made.first, made.size, 0, 0, 0);
    DRIVER_CALL(functions, cuMemMap, made.first, made.size, 0, made.handle, 0);
    allow(made.first, made.size, CU_MEM_ACCESS_FLAGS_PROT_READWRITE);
    DRIVER_CALL(functions, cuMemAddressReserve, &made.second, made.size, 0, 0, 0);
    DRIVER_CALL(functions, cuMemMap, made.second, made.size, 0, made.handle, 0);
    allow(made.second, made.size, CU_MEM_ACCESS_FLAGS_PROT_READWRITE);
    size_t a = keep({made.first, made.size});
    size_t b = keep({made.second, made.size});
    return std::to_string(a) + " " + std::to_string(b) + " " + std::to_string(made.first) + " " +
           std::to_string(made.second) + " " + std::to_string(made.size);
}

// What the application may ask about its handle: the properties it gave, and the same handle back from an address.
std::string inspect_twice(const Arguments&) {
    const Functions& functions = driver();
    CUmemAllocationProp found{};
    DRIVER_CALL(functions, cuMemGetAllocationPropertiesFromHandle, &found, twice().handle);
    CUmemGenericAllocationHandle retained = 0;
    DRIVER_CALL(functions, cuMemRetainAllocationHandle, &retained, reinterpret_cast<void*>(twice().second));
    bool same = retained == twice().handle;
    DRIVER_CALL(functions, cuMemRelease, retained);
    unsigned long long access = 0;
    CUmemLocation here = found.location;
    DRIVER_CALL(functions, cuMemGetAccess, &access, &here, twice().first);
    return std::to_string(found.requestedHandleTypes) + " " + (same ? "same" : "other") + " " + std::to_string(access);
}

std::string drop_twice(const Arguments&) {
    const Functions& functions = driver();
    Twice& made = twice();
    DRIVER_CALL(functions, cuMemUnmap, made.second, made.size);
    DRIVER_CALL(functions, cuMemUnmap, made.first, made.size);
    DRIVER_CALL(functions, cuMemAddressFree, made.first, made.size);
    DRIVER_CALL(functions, cuMemAddressFree, made.second, made.size);
    made.first = made.second = 0;
    return "";
}

// A segment that grows granule by granule in one reserved range, each granule's handle released at once.
std::string create_segment(const Arguments& arguments) {
    const Functions& functions = driver();
    CUmemAllocationProp wanted = properties(false);
    size_t granularity = 0;
    DRIVER_CALL(functions, cuMemGetAllocationGranularity, &granularity, &wanted, CU_MEM_ALLOC_GRANULARITY_MINIMUM);
    size_t count = number(arguments, 0);
    CUdeviceptr base = 0;
    DRIVER_CALL(functions, cuMemAddressReserve, &base, granularity * count * 4, 0, 0, 0);
    for (size_t i = 0; i < count; i++) {
        CUmemGenericAllocationHandle handle = 0;
        DRIVER_CALL(functions, cuMemCreate, &handle, granularity, &wanted, 0);
        DRIVER_CALL(functions, cuMemMap, base + i * granularity, granularity, 0, handle, 0);
        DRIVER_CALL(functions, cuMemRelease, handle);
    }
    allow(base, granularity * count, CU_MEM_ACCESS_FLAGS_PROT_READWRITE);
    size_t index = keep({base, granularity * count});
    return std::to_string(index) + " " + std::to_string(base) + " " + std::to_string(granularity * count) + " " +
           std::to_string(granularity);
}

// Unmaps one granule of a segment.
std::string shrink_segment(const Arguments& arguments) {
    const Buffer& segment = buffers().at(number(arguments, 0));
    size_t granularity = number(arguments, 1);
    DRIVER_CALL(driver(), cuMemUnmap, segment.address + segment.size - granularity, granularity);
    buffers().at(number(arguments, 0)).size -= granularity;
    return "";
}

struct Exported {
    CUmemGenericAllocationHandle handle;
    int descriptor;
};

CUmemGenericAllocationHandle exportable(size_t size) {
    CUmemAllocationProp wanted = properties(true);
    CUmemGenericAllocationHandle handle = 0;
    DRIVER_CALL(driver(), cuMemCreate, &handle, size, &wanted, 0);
    return handle;
}

int descriptor_of(CUmemGenericAllocationHandle handle) {
    int descriptor = -1;
    DRIVER_CALL(driver(), cuMemExportToShareableHandle, &descriptor, handle, CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR, 0);
    return descriptor;
}

Exported exported(size_t size) {
    CUmemGenericAllocationHandle handle = exportable(size);
    return {handle, descriptor_of(handle)};
}

std::string export_block(const Arguments& arguments) {
    Exported block = exported(number(arguments, 0));
    close(block.descriptor);
    return std::to_string(block.handle);
}

std::string export_descriptor(const Arguments& arguments) {
    return std::to_string(exported(number(arguments, 0)).descriptor);
}

CUdeviceptr map_somewhere(CUmemGenericAllocationHandle handle, size_t size) {
    CUdeviceptr address = 0;
    DRIVER_CALL(driver(), cuMemAddressReserve, &address, size, 0, 0, 0);
    DRIVER_CALL(driver(), cuMemMap, address, size, 0, handle, 0);
    allow(address, size, CU_MEM_ACCESS_FLAGS_PROT_READWRITE);
    return address;
}

std::string create_for_rdma(const Arguments& arguments) {
    CUmemAllocationProp wanted = properties(false);
    wanted.allocFlags.gpuDirectRDMACapable = 1;
    CUmemGenericAllocationHandle handle = 0;
    DRIVER_CALL(driver(), cuMemCreate, &handle, number(arguments, 0), &wanted, 0);
    map_somewhere(handle, number(arguments, 0));
    return "";
}

// As another process gets it over a socket, but with the rights of a debugger.
std::string import_block(const Arguments& arguments) {
    auto process = static_cast<int>(syscall(SYS_pidfd_open, number(arguments, 0), 0));
    auto fd = static_cast<int>(syscall(SYS_pidfd_getfd, process, number(arguments, 1), 0));
    close(process);
    if (fd < 0) {
        throw std::runtime_error("pidfd_getfd " + std::to_string(errno));
    }
    CUmemGenericAllocationHandle handle = 0;
    CUresult result = driver().cuMemImportFromShareableHandle(
        &handle, reinterpret_cast<void*>(static_cast<intptr_t>(fd)), CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR);
    close(fd);
    check(result, "cuMemImportFromShareableHandle");
    return std::to_string(handle) + " " + std::to_string(map_somewhere(handle, number(arguments, 2)));
}

std::string retain_and_release(const Arguments& arguments) {
    CUmemGenericAllocationHandle handle = 0;
    DRIVER_CALL(driver(), cuMemRetainAllocationHandle, &handle, reinterpret_cast<void*>(number(arguments, 0)));
    DRIVER_CALL(driver(), cuMemRelease, handle);
    return "";
}

std::string create_multicast(const Arguments& arguments) {
    CUmulticastObjectProp wanted{};
    wanted.numDevices = 1;
    wanted.size = number(arguments, 0);
    wanted.handleTypes = CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR;
    CUmemGenericAllocationHandle handle = 0;
    DRIVER_CALL(driver(), cuMulticastCreate, &handle, &wanted);
    return std::to_string(handle);
}

}  // namespace

void add_virtual_memory_commands(Commands& commands) {
    commands["create-twice"] = create_twice;      // BYTES -> INDEX INDEX ADDRESS ADDRESS SIZE
    commands["inspect-twice"] = inspect_twice;    // -> HANDLE_TYPES same|other ACCESS
    commands["release-twice"] = [](const Arguments&) {
        DRIVER_CALL(driver(), cuMemRelease, twice().handle);
        return "";
    };
    commands["drop-twice"] = drop_twice;
    commands["create-segment"] = create_segment;  // GRANULES -> INDEX ADDRESS SIZE GRANULARITY
    commands["shrink-segment"] = shrink_segment;  // INDEX GRANULARITY
    commands["create-exportable"] = [](const Arguments& a) { return std::to_string(exportable(number(a, 0))); };  // BYTES -> HANDLE
    commands["create-for-rdma"] = create_for_rdma;  // BYTES
    commands["export-handle"] = [](const Arguments& a) { return std::to_string(descriptor_of(number(a, 0))); };  // HANDLE -> DESCRIPTOR
    commands["export-block"] = export_block;      // BYTES -> HANDLE
    commands["export-descriptor"] = export_descriptor;      // BYTES -> DESCRIPTOR
    commands["import-block"] = import_block;                // PID DESCRIPTOR BYTES -> HANDLE ADDRESS
    commands["retain-and-release"] = retain_and_release;    // ADDRESS
    commands["unmap"] = [](const Arguments& a) {            // ADDRESS BYTES
        DRIVER_CALL(driver(), cuMemUnmap, number(a, 0), number(a, 1));
        DRIVER_CALL(driver(), cuMemAddressFree, number(a, 0), number(a, 1));
        return "";
    };
    commands["create-multicast"] = create_multicast;        // BYTES -> HANDLE
    commands["release-handle"] = [](const Arguments& a) {
        DRIVER_CALL(driver(), cuMemRelease, number(a, 0));
        return "";
    };
}

}  // namespace workload
