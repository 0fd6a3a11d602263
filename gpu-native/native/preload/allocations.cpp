#include "preload/allocations.h"

#include <algorithm>
#include <utility>

#include "preload/blocks.h"
#include "preload/contexts.h"
#include "preload/hints.h"
#include "preload/hooks.h"

namespace gpusnap::preload {
namespace {

constexpr int max_devices = 64;

CUmemAllocationProp properties_of(CUdevice device) {
    CUmemAllocationProp properties{};
    properties.type = CU_MEM_ALLOCATION_TYPE_PINNED;
    properties.requestedHandleTypes = CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR;
    properties.location.type = CU_MEM_LOCATION_TYPE_DEVICE;
    properties.location.id = device;
    return properties;
}

}  // namespace

Allocations& Allocations::get() {
    static Allocations* only = new Allocations();
    return *only;
}

bool Allocations::supported(CUdevice device) {
    static std::atomic<int> known[max_devices];  // 0 unknown, 1 no, 2 yes
    if (device < 0 || device >= max_devices) {
        return false;
    }
    int answer = known[device].load(std::memory_order_relaxed);
    if (answer == 0) {
        int maps = 0;
        int exports = 0;
        if (real::cuDeviceGetAttribute(&maps, CU_DEVICE_ATTRIBUTE_VIRTUAL_MEMORY_MANAGEMENT_SUPPORTED, device) != CUDA_SUCCESS ||
            real::cuDeviceGetAttribute(&exports, CU_DEVICE_ATTRIBUTE_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR_SUPPORTED, device) !=
                CUDA_SUCCESS) {
            return false;  // asked again: what is not told once need not be so for good
        }
        answer = maps != 0 && exports != 0 ? 2 : 1;
        known[device].store(answer, std::memory_order_relaxed);
    }
    return answer == 2;
}

size_t Allocations::granularity_of(CUdevice device) {
    static std::atomic<size_t> known[max_devices];
    size_t granularity = device < max_devices ? known[device].load(std::memory_order_relaxed) : 0;
    if (granularity == 0) {
        CUmemAllocationProp properties = properties_of(device);
        if (real::cuMemGetAllocationGranularity(&granularity, &properties, CU_MEM_ALLOC_GRANULARITY_MINIMUM) != CUDA_SUCCESS) {
            return 0;
        }
        if (device < max_devices) {
            known[device].store(granularity, std::memory_order_relaxed);
        }
    }
    return granularity;
}

CUresult Allocations::make(size_t asked, CUcontext context, CUdevice device, Allocation* made) {
    size_t granularity = granularity_of(device);
    if (granularity == 0) {
        return CUDA_ERROR_NOT_SUPPORTED;
    }
    RelaxedCapture relaxed;
    Allocation allocation;
    allocation.asked = asked;
    allocation.size = (asked + granularity - 1) / granularity * granularity;
    allocation.context = context;
    allocation.device = device;
    CUresult result = real::cuMemAddressReserve(&allocation.address, allocation.size, 0, 0, 0);
    if (result != CUDA_SUCCESS) {
        return result;
    }
    result = back(allocation.address, allocation.size, device, {}, &allocation.block);
    if (result != CUDA_SUCCESS) {
        free_addresses(allocation.address, allocation.size);
        return result;
    }
    *made = allocation;
    return CUDA_SUCCESS;
}

CUresult Allocations::destroy(const Allocation& allocation) {
    RelaxedCapture relaxed;
    CUresult result = unback(allocation.address, allocation.size, allocation.block);
    CUresult freed = free_addresses(allocation.address, allocation.size);
    return result != CUDA_SUCCESS ? result : freed;
}

CUresult Allocations::back(CUdeviceptr address, size_t size, CUdevice device, const std::vector<CUmemAccessDesc>& more_access,
                           uint64_t* block) {
    BlockTable& blocks = BlockTable::get();
    CUresult result = blocks.create(size, properties_of(device), 0, block);
    if (result != CUDA_SUCCESS) {
        return result;
    }
    result = blocks.map(address, size, 0, *block, 0);
    if (result != CUDA_SUCCESS) {
        blocks.drop_reference(*block);
        return result;
    }
    std::vector<CUmemAccessDesc> access = more_access;
    access.push_back(read_write(device));
    result = blocks.set_access_of_all(address, size, *block, access);
    if (result != CUDA_SUCCESS) {
        unback(address, size, *block);
    }
    return result;
}

CUresult Allocations::unback(CUdeviceptr address, size_t size, uint64_t block) {
    CUresult result = BlockTable::get().unmap(address, size);
    return result != CUDA_SUCCESS ? result : BlockTable::get().drop_reference(block);
}

// Where something is still mapped, the addresses must not be given away.
CUresult Allocations::free_addresses(CUdeviceptr address, size_t size) {
    return BlockTable::get().block_at(address) != 0 ? CUDA_SUCCESS : real::cuMemAddressFree(address, size);
}

void Allocations::add(Allocation allocation) {
    Hints::get().forget(allocation.address, allocation.size);  // declared for memory that rested in a pool
    std::lock_guard lock(mutex_);
    allocation.buffer_id = ++last_buffer_id_;
    live_[allocation.address] = std::move(allocation);
}

bool Allocations::take(CUdeviceptr start, Allocation* taken) {
    std::lock_guard lock(mutex_);
    auto found = live_.find(start);
    if (found == live_.end()) {
        return false;
    }
    *taken = found->second;
    live_.erase(found);
    Hints::get().forget(taken->address, taken->size);
    return true;
}

Allocations::Taken Allocations::take_stream_ordered(CUdeviceptr start, Allocation* taken) {
    std::lock_guard lock(mutex_);
    auto found = live_.find(start);
    if (found == live_.end()) {
        return Taken::no;
    }
    if (found->second.pool == nullptr) {
        return Taken::not_stream_ordered;
    }
    *taken = std::move(found->second);
    live_.erase(found);
    Hints::get().forget(taken->address, taken->size);
    return Taken::yes;
}

bool Allocations::find(CUdeviceptr address, Allocation* result) {
    std::lock_guard lock(mutex_);
    auto after = live_.upper_bound(address);
    if (after == live_.begin()) {
        return false;
    }
    const Allocation& candidate = std::prev(after)->second;
    if (address - candidate.address >= candidate.size) {
        return false;
    }
    *result = candidate;
    return true;
}

std::vector<Allocation> Allocations::take_of_context(CUcontext context) {
    std::lock_guard lock(mutex_);
    std::vector<Allocation> found;
    for (auto at = live_.begin(); at != live_.end();) {
        if (at->second.context == context) {
            found.push_back(at->second);
            Hints::get().forget(at->second.address, at->second.size);
            at = live_.erase(at);
        } else {
            ++at;
        }
    }
    auto others = std::stable_partition(deferred_.begin(), deferred_.end(),
                                        [&](const Allocation& deferred) { return deferred.context != context; });
    found.insert(found.end(), others, deferred_.end());
    deferred_.erase(others, deferred_.end());
    return found;
}

void Allocations::defer(const Allocation& allocation) {
    std::lock_guard lock(mutex_);
    deferred_.push_back(allocation);
    any_deferred_.store(true, std::memory_order_relaxed);
}

std::vector<Allocation> Allocations::take_deferred() {
    std::lock_guard lock(mutex_);
    any_deferred_.store(false, std::memory_order_relaxed);
    return std::exchange(deferred_, {});
}

DriverMemory& DriverMemory::get() {
    static DriverMemory* only = new DriverMemory();
    return *only;
}

void DriverMemory::add(CUdeviceptr address, size_t size, bool managed_memory) {
    std::lock_guard lock(mutex_);
    entries_[address] = Entry{size, managed_memory};
    bytes_ += size;
    managed_memory_ += managed_memory ? 1 : 0;
}

void DriverMemory::remove(CUdeviceptr address) {
    std::lock_guard lock(mutex_);
    auto found = entries_.find(address);
    if (found != entries_.end()) {
        bytes_ -= found->second.size;
        managed_memory_ -= found->second.managed_memory ? 1 : 0;
        entries_.erase(found);
    }
}

uint64_t DriverMemory::bytes() {
    std::lock_guard lock(mutex_);
    return bytes_;
}

uint64_t DriverMemory::managed_memory_count() {
    std::lock_guard lock(mutex_);
    return managed_memory_;
}

}  // namespace gpusnap::preload
