#include "preload/sharing.h"

#include "preload/allocations.h"
#include "preload/blocks.h"
#include "preload/gate.h"
#include "preload/hooks.h"
#include "preload/log.h"

namespace gpusnap::preload {

std::atomic<bool> multicast_seen{false};

Sharing& Sharing::get() {
    static Sharing* only = new Sharing();
    return *only;
}

void Sharing::note_for_good(const char* what) {
    std::lock_guard lock(mutex_);
    if (!for_good_) {
        log(Level::info, "this process cannot be frozen any more: %s", what);
    }
    for_good_ = true;
}

void Sharing::opened(CUdeviceptr address) {
    std::lock_guard lock(mutex_);
    opened_[address]++;
}

void Sharing::closed(CUdeviceptr address) {
    std::lock_guard lock(mutex_);
    auto found = opened_.find(address);
    if (found != opened_.end() && --found->second == 0) {
        opened_.erase(found);
    }
}

void Sharing::imported(CUmemGenericAllocationHandle handle) {
    std::lock_guard lock(mutex_);
    imported_[handle]++;
}

void Sharing::released(CUmemGenericAllocationHandle handle) {
    std::lock_guard lock(mutex_);
    auto found = imported_.find(handle);
    if (found != imported_.end() && --found->second == 0) {
        imported_.erase(found);
    }
}

bool Sharing::any() {
    std::lock_guard lock(mutex_);
    return for_good_ || !opened_.empty() || !imported_.empty();
}

// Legacy IPC needs memory of cuMemAlloc proper; ours is not, and says so as the driver does for its own kinds.
CUresult own::cuIpcGetMemHandle(void* handle, CUdeviceptr address) {
    Pass pass;
    Allocation allocation;
    if (Allocations::get().find(address, &allocation)) {
        static std::atomic<bool> said{false};
        if (!said.exchange(true)) {
            log(Level::error, "cuIpcGetMemHandle is refused for memory that gpusnap manages (said once)");
        }
        return CUDA_ERROR_NOT_SUPPORTED;
    }
    CUresult result = real::cuIpcGetMemHandle(handle, address);
    if (result == CUDA_SUCCESS) {
        Sharing::get().note_for_good("an IPC handle of device memory was handed out");
    }
    return result;
}

CUresult own::cuIpcOpenMemHandle(CUdeviceptr* address, CUipcMemHandle handle, unsigned int flags) {
    Pass pass;
    CUresult result = real::cuIpcOpenMemHandle(address, handle, flags);
    if (result == CUDA_SUCCESS) {
        Sharing::get().opened(*address);
    }
    return result;
}

CUresult own::cuIpcOpenMemHandle_v2(CUdeviceptr* address, CUipcMemHandle handle, unsigned int flags) {
    Pass pass;
    CUresult result = real::cuIpcOpenMemHandle_v2(address, handle, flags);
    if (result == CUDA_SUCCESS) {
        Sharing::get().opened(*address);
    }
    return result;
}

CUresult own::cuIpcCloseMemHandle(CUdeviceptr address) {
    Pass pass;
    CUresult result = real::cuIpcCloseMemHandle(address);
    if (result == CUDA_SUCCESS) {
        Sharing::get().closed(address);
    }
    return result;
}

CUresult own::cuIpcGetEventHandle(void* handle, CUevent event) {
    Pass pass;
    CUresult result = real::cuIpcGetEventHandle(handle, event);
    if (result == CUDA_SUCCESS) {
        Sharing::get().note_for_good("an IPC handle of an event was handed out");
    }
    return result;
}

CUresult own::cuIpcOpenEventHandle(CUevent* event, CUipcEventHandle handle) {
    Pass pass;
    CUresult result = real::cuIpcOpenEventHandle(event, handle);
    if (result == CUDA_SUCCESS) {
        Sharing::get().note_for_good("an event of another process was opened");
    }
    return result;
}

CUresult own::cuMemGetHandleForAddressRange(void* handle, CUdeviceptr address, size_t size, int type, uint64_t flags) {
    Pass pass;
    CUresult result = real::cuMemGetHandleForAddressRange(handle, address, size, type, flags);
    if (result == CUDA_SUCCESS) {
        Sharing::get().note_for_good("device memory was handed out as a DMA buffer");
    }
    return result;
}

CUresult own::cuMulticastCreate(CUmemGenericAllocationHandle* handle, const void* properties) {
    Pass pass;
    CUresult result = real::cuMulticastCreate(handle, properties);
    if (result == CUDA_SUCCESS) {
        multicast_seen.store(true, std::memory_order_relaxed);
    }
    return result;
}

CUresult own::cuMulticastBindMem(CUmemGenericAllocationHandle object, size_t offset, CUmemGenericAllocationHandle memory,
                                 size_t memory_offset, size_t size, uint64_t flags) {
    Pass pass;
    BlockTable::get().with_block(BlockTable::id_of(memory), [&](Block& block) { memory = block.real; });
    return real::cuMulticastBindMem(object, offset, memory, memory_offset, size, flags);
}

}  // namespace gpusnap::preload
