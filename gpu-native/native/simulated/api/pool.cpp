// Stream-ordered allocation.
#include "work/pool.h"

#include "core/call.h"
#include "core/device.h"
#include "memory/memory.h"
#include "work/submit.h"

using namespace gpusnap::simulated;

namespace {

CUmemoryPool handle_of(const std::shared_ptr<Pool>& pool) { return reinterpret_cast<CUmemoryPool>(pool.get()); }

std::shared_ptr<Pool> pool_of(CUmemoryPool handle) { return pools().get(handle, CUDA_ERROR_INVALID_VALUE); }

}  // namespace

GPUSNAP_SIM_STREAM_CALL(cuMemAllocAsync, _ptsz, (CUdeviceptr * address, size_t size, CUstream stream),
                        (address, size, stream)) {
  return call("cuMemAllocAsync", [&] {
    require(address != nullptr);
    const auto target = stream_of(stream);
    *address = allocate_async(size, current_pool(target->context->device), target);
  });
}

GPUSNAP_SIM_STREAM_CALL(cuMemAllocFromPoolAsync, _ptsz,
                        (CUdeviceptr * address, size_t size, CUmemoryPool pool, CUstream stream),
                        (address, size, pool, stream)) {
  return call("cuMemAllocFromPoolAsync", [&] {
    require(address != nullptr);
    *address = allocate_async(size, pool_of(pool), stream_of(stream));
  });
}

GPUSNAP_SIM_STREAM_CALL(cuMemFreeAsync, _ptsz, (CUdeviceptr address, CUstream stream), (address, stream)) {
  return call("cuMemFreeAsync", [&] { free_async(address, stream_of(stream)); });
}

GPUSNAP_SIM_EXPORT CUresult cuDeviceGetDefaultMemPool(CUmemoryPool* pool, CUdevice device) {
  return call(__func__, [&] {
    require(pool != nullptr);
    *pool = handle_of(default_pool(device));
  });
}

GPUSNAP_SIM_EXPORT CUresult cuDeviceGetMemPool(CUmemoryPool* pool, CUdevice device) {
  return call(__func__, [&] {
    require(pool != nullptr);
    *pool = handle_of(current_pool(device));
  });
}

GPUSNAP_SIM_EXPORT CUresult cuDeviceSetMemPool(CUdevice device, CUmemoryPool pool) {
  return call(__func__, [&] {
    const auto chosen = pool_of(pool);
    require(chosen->device == device);
    set_current_pool(device, chosen);
  });
}

GPUSNAP_SIM_EXPORT CUresult cuMemPoolCreate(CUmemoryPool* pool, const CUmemPoolProps* props) {
  return call(__func__, [&] {
    require(pool != nullptr && props != nullptr && props->allocType == CU_MEM_ALLOCATION_TYPE_PINNED);
    require(props->location.type == CU_MEM_LOCATION_TYPE_DEVICE && props->handleTypes == CU_MEM_HANDLE_TYPE_NONE,
            CUDA_ERROR_NOT_SUPPORTED);
    devices().gpu(props->location.id);
    auto made = std::make_shared<Pool>();
    made->device = props->location.id;
    made->is_default = false;
    *pool = pools().add<CUmemoryPool>(std::move(made));
  });
}

GPUSNAP_SIM_EXPORT CUresult cuMemPoolDestroy(CUmemoryPool handle) {
  return call(__func__, [&] {
    const auto pool = pool_of(handle);
    require(!pool->is_default, CUDA_ERROR_NOT_PERMITTED);
    synchronize_device(pool->device);
    memory().free_of(pool.get());
    if (current_pool(pool->device) == pool) set_current_pool(pool->device, default_pool(pool->device));
    pools().take(handle);
  });
}

GPUSNAP_SIM_EXPORT CUresult cuMemPoolTrimTo(CUmemoryPool pool, size_t) {
  return call(__func__, [&] { pool_of(pool); });  // freed memory is never kept
}

GPUSNAP_SIM_EXPORT CUresult cuMemPoolSetAttribute(CUmemoryPool handle, CUmemPool_attribute attribute, void* value) {
  return call(__func__, [&] {
    require(value != nullptr);
    const auto pool = pool_of(handle);
    if (attribute == CU_MEMPOOL_ATTR_RESERVED_MEM_HIGH || attribute == CU_MEMPOOL_ATTR_USED_MEM_HIGH) {
      require(*static_cast<uint64_t*>(value) == 0);  // a high-water mark can only be reset
      pool->most_bytes = pool->used_bytes.load();
      return;
    }
    require(attribute >= CU_MEMPOOL_ATTR_REUSE_FOLLOW_EVENT_DEPENDENCIES && attribute <= CU_MEMPOOL_ATTR_RELEASE_THRESHOLD);
    pool->settings[attribute] =
        attribute == CU_MEMPOOL_ATTR_RELEASE_THRESHOLD ? *static_cast<uint64_t*>(value) : *static_cast<int*>(value) != 0;
  });
}

GPUSNAP_SIM_EXPORT CUresult cuMemPoolGetAttribute(CUmemoryPool handle, CUmemPool_attribute attribute, void* value) {
  return call(__func__, [&] {
    require(value != nullptr);
    const auto pool = pool_of(handle);
    switch (attribute) {
      case CU_MEMPOOL_ATTR_REUSE_FOLLOW_EVENT_DEPENDENCIES:
      case CU_MEMPOOL_ATTR_REUSE_ALLOW_OPPORTUNISTIC:
      case CU_MEMPOOL_ATTR_REUSE_ALLOW_INTERNAL_DEPENDENCIES:
        *static_cast<int*>(value) = static_cast<int>(pool->settings[attribute].load());
        return;
      case CU_MEMPOOL_ATTR_RELEASE_THRESHOLD:
        *static_cast<uint64_t*>(value) = pool->settings[attribute];
        return;
      case CU_MEMPOOL_ATTR_RESERVED_MEM_CURRENT:
      case CU_MEMPOOL_ATTR_USED_MEM_CURRENT:
        *static_cast<uint64_t*>(value) = pool->used_bytes;
        return;
      case CU_MEMPOOL_ATTR_RESERVED_MEM_HIGH:
      case CU_MEMPOOL_ATTR_USED_MEM_HIGH:
        *static_cast<uint64_t*>(value) = pool->most_bytes;
        return;
    }
    fail(CUDA_ERROR_INVALID_VALUE);
  });
}

GPUSNAP_SIM_EXPORT CUresult cuMemPoolSetAccess(CUmemoryPool handle, const CUmemAccessDesc* map, size_t count) {
  return call(__func__, [&] {
    pool_of(handle);
    require(map != nullptr || count == 0);
    for (size_t i = 0; i < count; ++i) devices().gpu(map[i].location.id);
  });
}

GPUSNAP_SIM_EXPORT CUresult cuMemPoolGetAccess(CUmemAccess_flags* flags, CUmemoryPool handle, CUmemLocation* location) {
  return call(__func__, [&] {
    require(flags != nullptr && location != nullptr);
    pool_of(handle);
    devices().gpu(location->id);
    *flags = CU_MEM_ACCESS_FLAGS_PROT_READWRITE;
  });
}

// Pools are not shared between processes here.
GPUSNAP_SIM_EXPORT CUresult cuMemPoolExportToShareableHandle(void*, CUmemoryPool, CUmemAllocationHandleType,
                                                             unsigned long long) {
  return call(__func__, [] { fail(CUDA_ERROR_NOT_SUPPORTED); });
}

GPUSNAP_SIM_EXPORT CUresult cuMemPoolImportFromShareableHandle(CUmemoryPool*, void*, CUmemAllocationHandleType,
                                                               unsigned long long) {
  return call(__func__, [] { fail(CUDA_ERROR_NOT_SUPPORTED); });
}

GPUSNAP_SIM_EXPORT CUresult cuMemPoolExportPointer(CUmemPoolPtrExportData*, CUdeviceptr) {
  return call(__func__, [] { fail(CUDA_ERROR_NOT_SUPPORTED); });
}

GPUSNAP_SIM_EXPORT CUresult cuMemPoolImportPointer(CUdeviceptr*, CUmemoryPool, CUmemPoolPtrExportData*) {
  return call(__func__, [] { fail(CUDA_ERROR_NOT_SUPPORTED); });
}
