// Start of the driver, and contexts that come and go with their memory.
#include "preload/allocations.h"
#include "preload/blocks.h"
#include "preload/contexts.h"
#include "preload/control.h"
#include "preload/gate.h"
#include "preload/hooks.h"
#include "preload/log.h"
#include "preload/reclaim.h"
#include "preload/stream_pool.h"

namespace gpusnap::preload {
namespace {

CUresult noted(CUresult result, CUcontext* context, CUdevice device) {
    if (result == CUDA_SUCCESS && context != nullptr && Contexts::get().note(*context, device)) {
        CurrentContext scope(*context);
        BlockTable::get().let_peers_in();
    }
    return result;
}

void drop_allocations(CUcontext context) {
    for (const Allocation& allocation : Allocations::get().take_of_context(context)) {
        CUresult result = destroy_now(allocation);
        if (result != CUDA_SUCCESS) {
            log(Level::error, "memory of a destroyed context could not be freed: CUDA error %d", result);
        }
    }
    StreamPools::get().drop_context(context);
}

// A dying context takes the memory of cuMemAlloc with it; of ours, we must see to that.
void drop_memory(CUcontext context) {
    CurrentContext scope(context);
    real::cuCtxSynchronize();
    free_deferred();
    drop_allocations(context);
}

template <typename Driver>
CUresult destroy(CUcontext context, Driver&& driver) {
    Pass pass;
    if (context != nullptr) {
        drop_memory(context);
    }
    CUresult result = driver();
    if (result == CUDA_SUCCESS) {
        Contexts::get().forget(context);
    }
    return result;
}

CUresult primary_state(CUdevice device, bool* active) {
    unsigned int flags = 0;
    int answer = 0;
    CUresult result = real::cuDevicePrimaryCtxGetState(device, &flags, &answer);
    *active = answer != 0;
    return result;
}

// The primary context's handle, without keeping it; null where there is none.
CUresult primary_context(CUdevice device, CUcontext* context) {
    bool active = false;
    CUresult result = primary_state(device, &active);
    if (result != CUDA_SUCCESS || !active) {
        return result;
    }
    result = real::cuDevicePrimaryCtxRetain(context, device);
    return result == CUDA_SUCCESS ? real::cuDevicePrimaryCtxRelease_v2(device) : result;
}

// Where it cannot be known whose memory goes with the context, nothing goes: the application is told the driver's failure.
template <typename Driver>
CUresult reset(CUdevice device, Driver&& driver) {
    Pass pass;
    CUcontext context = nullptr;
    if (CUresult result = primary_context(device, &context); result != CUDA_SUCCESS) {
        return result;
    }
    if (context != nullptr) {
        drop_memory(context);
        Contexts::get().forget(context);
    }
    return driver();
}

// Only the last release destroys the context. Its memory cannot be freed before we know, nor through the context
// after: mapped memory does not belong to a context, so it can still be freed then.
template <typename Driver>
CUresult release(CUdevice device, Driver&& driver) {
    Pass pass;
    CUcontext context = nullptr;
    if (CUresult result = primary_context(device, &context); result != CUDA_SUCCESS) {
        return result;
    }
    CUresult result = driver();
    if (result != CUDA_SUCCESS || context == nullptr) {
        return result;
    }
    bool active = true;
    if (CUresult told = primary_state(device, &active); told != CUDA_SUCCESS) {
        log(Level::error, "whether device %d still has its primary context is not told, its memory is kept: CUDA error %d", device,
            static_cast<int>(told));
    } else if (!active) {
        Contexts::get().forget(context);
        drop_allocations(context);
    }
    return result;
}

}  // namespace

CUresult own::cuInit(unsigned int flags) {
    CUresult result = real::cuInit(flags);
    if (result == CUDA_SUCCESS) {
        start_control();
    }
    return result;
}

CUresult own::cuDevicePrimaryCtxRetain(CUcontext* context, CUdevice device) {
    Pass pass;
    return noted(real::cuDevicePrimaryCtxRetain(context, device), context, device);
}

CUresult own::cuDevicePrimaryCtxRelease(CUdevice device) {
    return release(device, [&] { return real::cuDevicePrimaryCtxRelease(device); });
}

CUresult own::cuDevicePrimaryCtxRelease_v2(CUdevice device) {
    return release(device, [&] { return real::cuDevicePrimaryCtxRelease_v2(device); });
}

CUresult own::cuDevicePrimaryCtxReset(CUdevice device) {
    return reset(device, [&] { return real::cuDevicePrimaryCtxReset(device); });
}

CUresult own::cuDevicePrimaryCtxReset_v2(CUdevice device) {
    return reset(device, [&] { return real::cuDevicePrimaryCtxReset_v2(device); });
}

CUresult own::cuCtxCreate(CUcontext* context, unsigned int flags, CUdevice device) {
    Pass pass;
    return noted(real::cuCtxCreate(context, flags, device), context, device);
}

CUresult own::cuCtxCreate_v2(CUcontext* context, unsigned int flags, CUdevice device) {
    Pass pass;
    return noted(real::cuCtxCreate_v2(context, flags, device), context, device);
}

CUresult own::cuCtxCreate_v3(CUcontext* context, void* affinity, int count, unsigned int flags, CUdevice device) {
    Pass pass;
    return noted(real::cuCtxCreate_v3(context, affinity, count, flags, device), context, device);
}

CUresult own::cuCtxCreate_v4(CUcontext* context, void* parameters, unsigned int flags, CUdevice device) {
    Pass pass;
    return noted(real::cuCtxCreate_v4(context, parameters, flags, device), context, device);
}

CUresult own::cuCtxDestroy(CUcontext context) {
    return destroy(context, [&] { return real::cuCtxDestroy(context); });
}

CUresult own::cuCtxDestroy_v2(CUcontext context) {
    return destroy(context, [&] { return real::cuCtxDestroy_v2(context); });
}

}  // namespace gpusnap::preload
