// cuMemAllocAsync, cuMemFreeAsync and the pools behind them.
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

// The pool that serves a call, null when it is the driver's.
std::shared_ptr<PoolState> serving_pool(CUmemoryPool asked, size_t size, StreamKey stream) {
    if (size < Settings::get().min_managed_bytes || captures(stream.stream)) {
        return nullptr;
    }
    CUcontext context = context_of(stream.stream);
    if (context == nullptr) {
        return nullptr;
    }
    CurrentContext scope(context);
    CUdevice device = current_device();
    Contexts::get().note(context, device);
    CUmemoryPool handle = asked;
    if (handle == nullptr && real::cuDeviceGetMemPool(&handle, device) != CUDA_SUCCESS) {
        return nullptr;
    }
    auto pool = StreamPools::get().state(handle, device);
    return pool->ours && Allocations::supported(pool->device) ? pool : nullptr;
}

template <typename Driver>
CUresult allocate(CUdeviceptr* address, size_t size, CUmemoryPool pool, StreamKey stream, Driver&& driver) {
    Pass pass;
    if (address != nullptr) {
        if (auto serving = serving_pool(pool, size, stream)) {
            CUresult result = StreamPools::get().allocate(serving, size, stream, address);
            if (result == CUDA_SUCCESS || result == CUDA_ERROR_OUT_OF_MEMORY) {
                return result;
            }
            log(Level::error, "a stream-ordered allocation of %zu bytes stays with the driver: CUDA error %d", size, result);
        }
    }
    CUresult result = driver();
    if (result == CUDA_ERROR_OUT_OF_MEMORY && reclaim()) {
        result = driver();
    }
    if (result == CUDA_SUCCESS && !captures(stream.stream)) {
        DriverMemory::get().add(*address, size, false);
    }
    return result;
}

template <typename Driver>
CUresult release(CUdeviceptr address, StreamKey stream, Driver&& driver) {
    Pass pass;
    Allocation allocation;
    if (!Allocations::get().find(address, &allocation) || allocation.address != address) {
        CUresult result = driver();
        if (result == CUDA_SUCCESS && !captures(stream.stream)) {
            DriverMemory::get().remove(address);
        }
        return result;
    }
    if (allocation.pool == nullptr) {
        return CUDA_ERROR_INVALID_VALUE;  // as the driver answers for memory of cuMemAlloc
    }
    if (captures(stream.stream)) {
        log(Level::error, "a graph cannot free memory that was allocated outside of it while gpusnap manages that memory");
        return CUDA_ERROR_NOT_SUPPORTED;
    }
    if (!Allocations::get().take(address, &allocation)) {
        return CUDA_ERROR_INVALID_VALUE;
    }
    return StreamPools::get().free(allocation, stream);
}

}  // namespace

CUresult own::cuMemAllocAsync(CUdeviceptr* address, size_t size, CUstream stream) {
    return allocate(address, size, nullptr, canonical(stream, false),
                    [&] { return real::cuMemAllocAsync(address, size, stream); });
}

CUresult own::cuMemAllocAsync_ptsz(CUdeviceptr* address, size_t size, CUstream stream) {
    return allocate(address, size, nullptr, canonical(stream, true),
                    [&] { return real::cuMemAllocAsync_ptsz(address, size, stream); });
}

CUresult own::cuMemAllocFromPoolAsync(CUdeviceptr* address, size_t size, CUmemoryPool pool, CUstream stream) {
    return allocate(address, size, pool, canonical(stream, false),
                    [&] { return real::cuMemAllocFromPoolAsync(address, size, pool, stream); });
}

CUresult own::cuMemAllocFromPoolAsync_ptsz(CUdeviceptr* address, size_t size, CUmemoryPool pool, CUstream stream) {
    return allocate(address, size, pool, canonical(stream, true),
                    [&] { return real::cuMemAllocFromPoolAsync_ptsz(address, size, pool, stream); });
}

CUresult own::cuMemFreeAsync(CUdeviceptr address, CUstream stream) {
    return release(address, canonical(stream, false), [&] { return real::cuMemFreeAsync(address, stream); });
}

CUresult own::cuMemFreeAsync_ptsz(CUdeviceptr address, CUstream stream) {
    return release(address, canonical(stream, true), [&] { return real::cuMemFreeAsync_ptsz(address, stream); });
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
