// Questions about pointers: for memory that we allocated in cuMemAlloc's place, the answers are those of cuMemAlloc.
#include "preload/allocations.h"
#include "preload/gate.h"
#include "preload/hooks.h"
#include "preload/stream_pool.h"

namespace gpusnap::preload {
namespace {

// Corrects what the driver answers differently for memory that was mapped instead of allocated.
// False: the driver's own answer is right.
bool answer(const Allocation& allocation, int attribute, void* data) {
    switch (attribute) {
        case CU_POINTER_ATTRIBUTE_CONTEXT:
            *static_cast<CUcontext*>(data) = allocation.context;
            return true;
        case CU_POINTER_ATTRIBUTE_BUFFER_ID:
            *static_cast<unsigned long long*>(data) = allocation.buffer_id;
            return true;
        case CU_POINTER_ATTRIBUTE_RANGE_START_ADDR:
            *static_cast<CUdeviceptr*>(data) = allocation.address;
            return true;
        case CU_POINTER_ATTRIBUTE_RANGE_SIZE:
            *static_cast<size_t*>(data) = allocation.asked;
            return true;
        case CU_POINTER_ATTRIBUTE_ALLOWED_HANDLE_TYPES:
            *static_cast<unsigned long long*>(data) = 0;
            return true;
        case CU_POINTER_ATTRIBUTE_MEMPOOL_HANDLE:
            *static_cast<CUmemoryPool*>(data) = allocation.pool != nullptr ? allocation.pool->handle : nullptr;
            return true;
        default:
            return false;
    }
}

}  // namespace

CUresult own::cuPointerGetAttribute(void* data, int attribute, CUdeviceptr address) {
    Pass pass;
    Allocation allocation;
    if (data != nullptr && Allocations::get().find(address, &allocation) && answer(allocation, attribute, data)) {
        return CUDA_SUCCESS;
    }
    return real::cuPointerGetAttribute(data, attribute, address);
}

CUresult own::cuPointerGetAttributes(unsigned int count, int* attributes, void** data, CUdeviceptr address) {
    Pass pass;
    CUresult result = real::cuPointerGetAttributes(count, attributes, data, address);
    Allocation allocation;
    if (result == CUDA_SUCCESS && Allocations::get().find(address, &allocation)) {
        for (unsigned int i = 0; i < count; i++) {
            answer(allocation, attributes[i], data[i]);
        }
    }
    return result;
}

}  // namespace gpusnap::preload
