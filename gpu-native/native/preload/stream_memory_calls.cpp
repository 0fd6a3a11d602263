// cuMemAllocAsync, cuMemFreeAsync and the pools behind them.
#include <optional>

#include "preload/allocations.h"
#include "preload/contexts.h"
#include "preload/gate.h"
#include "preload/hooks.h"
#include "preload/log.h"
#include "preload/reclaim.h"
#include "preload/settings.h"
#include "preload/sharing.h"
#include "preload/stream_pool.h"

namespace gpusnap::preload {
namespace {

// Inside a capture, an allocation is a node of the graph and belongs to the driver.
bool captures(CUstream stream) {
    if (!Captures::get().begun()) {
        return false;
    }
    int status = CU_STREAM_CAPTURE_STATUS_NONE;
    return real::cuStreamIsCapturing(stream, &status) != CUDA_SUCCESS || status != CU_STREAM_CAPTURE_STATUS_NONE;
}

// Nothing: the driver serves this call.
std::optional<CUresult> serve(CUdeviceptr* address, size_t size, CUmemoryPool pool, CUstream handle) {
    if (address == nullptr || size < Settings::get().min_managed_bytes || captures(handle)) {
        return std::nullopt;
    }
    StreamKey stream = key_of(handle);
    if (stream.context == nullptr) {
        return std::nullopt;
    }
    CUdevice device = device_of(stream.context);
    if (pool == nullptr && real::cuDeviceGetMemPool(&pool, device) != CUDA_SUCCESS) {
        return std::nullopt;
    }
    auto result = StreamPools::get().allocate(pool, device, size, stream, address);
    if (result && *result != CUDA_SUCCESS && *result != CUDA_ERROR_OUT_OF_MEMORY) {
        log(Level::error, "a stream-ordered allocation of %zu bytes stays with the driver: CUDA error %d", size, *result);
        return std::nullopt;
    }
    return result;
}

template <typename Driver>
CUresult allocate(CUdeviceptr* address, size_t size, CUmemoryPool pool, CUstream stream, Driver&& driver) {
    Pass pass;
    if (auto served = serve(address, size, pool, stream)) {
        return *served;
    }
    CUresult result = driver();
    if (result == CUDA_ERROR_OUT_OF_MEMORY && reclaim()) {
        result = driver();
    }
    if (result == CUDA_SUCCESS && !captures(stream)) {
        DriverMemory::get().add(*address, size, false);
    }
    return result;
}

template <typename Driver>
CUresult release(CUdeviceptr address, CUstream stream, Driver&& driver) {
    Pass pass;
    bool capture = captures(stream);
    Allocation allocation;
    if (capture && Allocations::get().find(address, &allocation) && allocation.address == address) {
        log(Level::error, "a graph cannot free memory that was allocated outside of it while gpusnap manages that memory");
        return CUDA_ERROR_NOT_SUPPORTED;
    }
    switch (Allocations::get().take_stream_ordered(address, &allocation)) {
        case Allocations::Taken::yes:
            StreamPools::get().free(allocation, key_of(stream));
            return CUDA_SUCCESS;
        case Allocations::Taken::not_stream_ordered:
            return CUDA_ERROR_INVALID_VALUE;  // as the driver answers for memory of cuMemAlloc
        case Allocations::Taken::no:
            break;
    }
    CUresult result = driver();
    if (result == CUDA_SUCCESS && !capture) {
        DriverMemory::get().remove(address);
    }
    return result;
}

}  // namespace

CUresult own::cuMemAllocAsync(CUdeviceptr* address, size_t size, CUstream stream) {
    return allocate(address, size, nullptr, handle_of(stream, false),
                    [&] { return real::cuMemAllocAsync(address, size, stream); });
}

CUresult own::cuMemAllocAsync_ptsz(CUdeviceptr* address, size_t size, CUstream stream) {
    return allocate(address, size, nullptr, handle_of(stream, true),
                    [&] { return real::cuMemAllocAsync_ptsz(address, size, stream); });
}

CUresult own::cuMemAllocFromPoolAsync(CUdeviceptr* address, size_t size, CUmemoryPool pool, CUstream stream) {
    return allocate(address, size, pool, handle_of(stream, false),
                    [&] { return real::cuMemAllocFromPoolAsync(address, size, pool, stream); });
}

CUresult own::cuMemAllocFromPoolAsync_ptsz(CUdeviceptr* address, size_t size, CUmemoryPool pool, CUstream stream) {
    return allocate(address, size, pool, handle_of(stream, true),
                    [&] { return real::cuMemAllocFromPoolAsync_ptsz(address, size, pool, stream); });
}

CUresult own::cuMemFreeAsync(CUdeviceptr address, CUstream stream) {
    return release(address, handle_of(stream, false), [&] { return real::cuMemFreeAsync(address, stream); });
}

CUresult own::cuMemFreeAsync_ptsz(CUdeviceptr address, CUstream stream) {
    return release(address, handle_of(stream, true), [&] { return real::cuMemFreeAsync_ptsz(address, stream); });
}

CUresult own::cuMemPoolCreate(CUmemoryPool* pool, const CUmemPoolProps* properties) {
    Pass pass;
    CUresult result = real::cuMemPoolCreate(pool, properties);
    if (result == CUDA_SUCCESS) {
        StreamPools::get().created(*pool, *properties);
    }
    return result;
}

CUresult own::cuMemPoolDestroy(CUmemoryPool pool) {
    Pass pass;
    CUresult result = real::cuMemPoolDestroy(pool);
    if (result == CUDA_SUCCESS) {
        StreamPools::get().destroyed(pool);
    }
    return result;
}

CUresult own::cuMemPoolTrimTo(CUmemoryPool pool, size_t keep) {
    Pass pass;
    CUresult result = real::cuMemPoolTrimTo(pool, keep);
    if (result == CUDA_SUCCESS) {
        StreamPools::get().trim(pool, keep);
    }
    return result;
}

CUresult own::cuMemPoolSetAttribute(CUmemoryPool pool, int attribute, void* value) {
    Pass pass;
    CUresult result = real::cuMemPoolSetAttribute(pool, attribute, value);
    if (result != CUDA_SUCCESS) {
        return result;
    }
    if (attribute == CU_MEMPOOL_ATTR_RELEASE_THRESHOLD) {
        StreamPools::get().set_release_threshold(pool, *static_cast<uint64_t*>(value));
    } else if (attribute == CU_MEMPOOL_ATTR_RESERVED_MEM_HIGH || attribute == CU_MEMPOOL_ATTR_USED_MEM_HIGH) {
        StreamPools::get().reset_high_mark(pool, attribute == CU_MEMPOOL_ATTR_USED_MEM_HIGH);
    }
    return result;
}

// The driver counts its part, we ours. The sum of two high marks may exceed the true one.
CUresult own::cuMemPoolGetAttribute(CUmemoryPool pool, int attribute, void* value) {
    Pass pass;
    CUresult result = real::cuMemPoolGetAttribute(pool, attribute, value);
    if (result != CUDA_SUCCESS) {
        return result;
    }
    StreamPools& pools = StreamPools::get();
    auto* counter = static_cast<uint64_t*>(value);
    switch (attribute) {
        case CU_MEMPOOL_ATTR_RESERVED_MEM_CURRENT:
        case CU_MEMPOOL_ATTR_RESERVED_MEM_HIGH:
            *counter += pools.reserved_bytes(pool, attribute == CU_MEMPOOL_ATTR_RESERVED_MEM_HIGH);
            break;
        case CU_MEMPOOL_ATTR_USED_MEM_CURRENT:
        case CU_MEMPOOL_ATTR_USED_MEM_HIGH:
            *counter += pools.used_bytes(pool, attribute == CU_MEMPOOL_ATTR_USED_MEM_HIGH);
            break;
        default:
            break;
    }
    return result;
}

CUresult own::cuMemPoolSetAccess(CUmemoryPool pool, const CUmemAccessDesc* map, size_t count) {
    Pass pass;
    CUresult result = real::cuMemPoolSetAccess(pool, map, count);
    return result == CUDA_SUCCESS ? StreamPools::get().set_access(pool, map, count) : result;
}

CUresult own::cuMemPoolExportToShareableHandle(void* handle, CUmemoryPool pool, int type, uint64_t flags) {
    Pass pass;
    CUresult result = real::cuMemPoolExportToShareableHandle(handle, pool, type, flags);
    if (result == CUDA_SUCCESS) {
        Sharing::get().note_for_good("a memory pool was exported");
    }
    return result;
}

CUresult own::cuMemPoolImportFromShareableHandle(CUmemoryPool* pool, void* handle, int type, uint64_t flags) {
    Pass pass;
    CUresult result = real::cuMemPoolImportFromShareableHandle(pool, handle, type, flags);
    if (result == CUDA_SUCCESS) {
        StreamPools::get().imported(*pool);
        Sharing::get().note_for_good("a memory pool was imported");
    }
    return result;
}

CUresult own::cuMemPoolExportPointer(void* data, CUdeviceptr address) {
    Pass pass;
    return real::cuMemPoolExportPointer(data, address);
}

CUresult own::cuMemPoolImportPointer(CUdeviceptr* address, CUmemoryPool pool, void* data) {
    Pass pass;
    return real::cuMemPoolImportPointer(address, pool, data);
}

}  // namespace gpusnap::preload
