#include "preload/sharing.h"

#include <algorithm>
#include <atomic>
#include <iterator>

#include "preload/allocations.h"
#include "preload/blocks.h"
#include "preload/gate.h"
#include "preload/hooks.h"
#include "preload/log.h"

namespace gpusnap::preload {

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

void Sharing::add(CUmemGenericAllocationHandle handle, Memory memory) {
    std::lock_guard lock(mutex_);
    Handle& found = handles_[handle];
    if (found.memory == nullptr) {
        found.memory = std::make_shared<Memory>(memory);
    }
    found.memory->shared = found.memory->shared || memory.shared;
    found.references++;
}

void Sharing::created(CUmemGenericAllocationHandle handle) {
    add(handle, {});
}

void Sharing::imported(CUmemGenericAllocationHandle handle) {
    add(handle, {.shared = true});
}

void Sharing::created_multicast(CUmemGenericAllocationHandle handle) {
    add(handle, {.multicast = true});
}

void Sharing::exported(CUmemGenericAllocationHandle handle) {
    {
        std::lock_guard lock(mutex_);
        auto found = handles_.find(handle);
        if (found != handles_.end()) {
            found->second.memory->shared = true;
            return;
        }
    }
    note_for_good("memory of an unknown handle was exported");
}

void Sharing::retained(CUmemGenericAllocationHandle handle, CUdeviceptr address) {
    std::lock_guard lock(mutex_);
    auto after = mappings_.upper_bound(address);
    if (after == mappings_.begin()) {
        return;
    }
    const auto& [start, mapping] = *std::prev(after);
    if (address - start >= mapping.size) {
        return;
    }
    Handle& found = handles_[handle];
    found.memory = mapping.memory;
    found.references++;
}

void Sharing::released(CUmemGenericAllocationHandle handle) {
    std::lock_guard lock(mutex_);
    auto found = handles_.find(handle);
    if (found != handles_.end() && --found->second.references == 0) {
        handles_.erase(found);
    }
}

void Sharing::mapped(CUdeviceptr address, size_t size, CUmemGenericAllocationHandle handle) {
    std::lock_guard lock(mutex_);
    auto found = handles_.find(handle);
    if (found != handles_.end()) {
        mappings_[address] = {size, found->second.memory};
    }
}

// The driver unmaps whole mappings only.
void Sharing::unmapped(CUdeviceptr address, size_t size) {
    std::lock_guard lock(mutex_);
    mappings_.erase(mappings_.lower_bound(address), mappings_.lower_bound(address + size));
}

template <typename Property>
bool Sharing::any_memory(Property&& property) const {
    return std::any_of(handles_.begin(), handles_.end(), [&](const auto& item) { return property(*item.second.memory); }) ||
           std::any_of(mappings_.begin(), mappings_.end(), [&](const auto& item) { return property(*item.second.memory); });
}

bool Sharing::any() {
    std::lock_guard lock(mutex_);
    return for_good_ || !opened_.empty() || any_memory([](const Memory& memory) { return memory.shared; });
}

bool Sharing::for_good() {
    std::lock_guard lock(mutex_);
    return for_good_;
}

bool Sharing::multicast() {
    std::lock_guard lock(mutex_);
    return any_memory([](const Memory& memory) { return memory.multicast; });
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
        Sharing::get().created_multicast(*handle);
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
