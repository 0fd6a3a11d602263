// cuMemAlloc and the calls around it.
#include "preload/allocations.h"
#include "preload/blocks.h"
#include "preload/contexts.h"
#include "preload/gate.h"
#include "preload/hooks.h"
#include "preload/log.h"
#include "preload/reclaim.h"
#include "preload/settings.h"
#include "preload/stream_pool.h"

namespace gpusnap::preload {
namespace {

bool manages(size_t size, CUcontext context) {
    return size >= Settings::get().min_managed_bytes && context != nullptr && Allocations::supported(current_device());
}

// False: let the driver try its own way.
bool allocate(size_t size, CUcontext context, CUdeviceptr* address, CUresult* result) {
    CUdevice device = current_device();
    if (Contexts::get().note(context, device)) {
        BlockTable::get().let_peers_in();
    }
    Allocation made;
    *result = Allocations::make(size, context, device, &made);
    if (*result == CUDA_ERROR_OUT_OF_MEMORY && reclaim()) {
        *result = Allocations::make(size, context, device, &made);
    }
    if (*result == CUDA_SUCCESS) {
        Allocations::get().add(made);
        *address = made.address;
        return true;
    }
    if (*result == CUDA_ERROR_OUT_OF_MEMORY) {
        return true;
    }
    log(Level::error, "an allocation of %zu bytes stays with the driver: CUDA error %d", size, *result);
    return false;
}

CUresult allocate_with_driver(CUdeviceptr* address, size_t size) {
    CUresult result = real::cuMemAlloc_v2(address, size);
    if (result == CUDA_ERROR_OUT_OF_MEMORY && reclaim()) {
        result = real::cuMemAlloc_v2(address, size);
    }
    if (result == CUDA_SUCCESS) {
        DriverMemory::get().add(*address, size, false);
    }
    return result;
}

}  // namespace

bool reclaim(bool at_rest) {
    bool deferred = Allocations::get().any_deferred();
    free_deferred();
    return StreamPools::get().trim_all(at_rest) || deferred;
}

void free_deferred() {
    if (!Allocations::get().any_deferred() || Captures::get().any()) {
        return;
    }
    for (const Allocation& allocation : Allocations::get().take_deferred()) {
        free_now(allocation);
    }
}

// cuMemFree waits for the device before it frees; programs rely on that.
CUresult free_now(const Allocation& allocation) {
    CUresult result = CUDA_SUCCESS;
    {
        CurrentContext scope(allocation.context);
        result = real::cuCtxSynchronize();
    }
    CUresult destroyed = destroy_now(allocation);
    return result != CUDA_SUCCESS ? result : destroyed;
}

CUresult destroy_now(const Allocation& allocation) {
    if (allocation.pool == nullptr) {
        return Allocations::destroy(allocation);
    }
    StreamPools::get().give_back(allocation);
    return CUDA_SUCCESS;
}

CUresult own::cuMemAlloc_v2(CUdeviceptr* address, size_t size) {
    Pass pass;
    free_deferred();
    CUcontext context = current_context();
    CUresult result = CUDA_SUCCESS;
    if (address != nullptr && manages(size, context) && allocate(size, context, address, &result)) {
        return result;
    }
    return allocate_with_driver(address, size);
}

// The pitch is the driver's secret: one row tells it.
CUresult own::cuMemAllocPitch_v2(CUdeviceptr* address, size_t* pitch, size_t width, size_t height, unsigned int element) {
    Pass pass;
    free_deferred();
    CUcontext context = current_context();
    bool large = width != 0 && height >= Settings::get().min_managed_bytes / width;
    if (address == nullptr || pitch == nullptr || !large || context == nullptr || !Allocations::supported(current_device())) {
        CUresult result = real::cuMemAllocPitch_v2(address, pitch, width, height, element);
        if (result == CUDA_SUCCESS) {
            DriverMemory::get().add(*address, *pitch * height, false);
        }
        return result;
    }
    CUdeviceptr row = 0;
    CUresult result = real::cuMemAllocPitch_v2(&row, pitch, width, 1, element);
    if (result != CUDA_SUCCESS) {
        return result;
    }
    if (real::cuMemFree_v2(row) != CUDA_SUCCESS) {
        DriverMemory::get().add(row, *pitch, false);
    }
    if (allocate(*pitch * height, context, address, &result)) {
        return result;
    }
    return allocate_with_driver(address, *pitch * height);
}

CUresult own::cuMemFree_v2(CUdeviceptr address) {
    Pass pass;
    Allocation allocation;
    if (!Allocations::get().take(address, &allocation)) {
        CUresult result = real::cuMemFree_v2(address);
        if (result == CUDA_SUCCESS) {
            DriverMemory::get().remove(address);
        }
        return result;
    }
    if (Captures::get().begun() && Captures::get().any()) {
        Allocations::get().defer(allocation);
        return CUDA_SUCCESS;
    }
    free_deferred();
    return free_now(allocation);
}

CUresult own::cuMemAllocManaged(CUdeviceptr* address, size_t size, unsigned int flags) {
    Pass pass;
    CUresult result = real::cuMemAllocManaged(address, size, flags);
    if (result == CUDA_SUCCESS) {
        DriverMemory::get().add(*address, size, true);
    }
    return result;
}

CUresult own::cuMemGetAddressRange_v2(CUdeviceptr* base, size_t* size, CUdeviceptr address) {
    Pass pass;
    Allocation allocation;
    if (!Allocations::get().find(address, &allocation)) {
        return real::cuMemGetAddressRange_v2(base, size, address);
    }
    if (base != nullptr) {
        *base = allocation.address;
    }
    if (size != nullptr) {
        *size = allocation.asked;
    }
    return CUDA_SUCCESS;
}

}  // namespace gpusnap::preload
