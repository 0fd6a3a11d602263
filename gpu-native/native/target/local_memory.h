// Physical memory on GPUs, mapped in this process.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "driver/gpu.h"

namespace gpusnap {

// One address range a GPU, with the allocations in it one after the other.
class LocalMemory {
public:
    struct Item {
        uint64_t id = 0;
        size_t size_bytes = 0;
        uint32_t gpu_ordinal = 0;
    };

    LocalMemory() = default;
    ~LocalMemory();
    LocalMemory(const LocalMemory&) = delete;
    LocalMemory& operator=(const LocalMemory&) = delete;

    // Finds room for all of them, so that each has its address. Throws GPUSNAP_E_INVALID when one is listed twice.
    void reserve(const std::vector<Item>& items);
    // The first of those that are to come; nullptr when none is.
    const Item* next() const noexcept { return added_ < items_.size() ? &items_[added_] : nullptr; }
    // Maps next(), and has the handle from then on; it is released where that fails.
    void map(CUmemGenericAllocationHandle handle);
    // What was mapped since it was called last may be used from here on.
    void allow_access();
    // 0 for an allocation that there is no room for here.
    uint64_t local_address(uint64_t id) const;
    bool empty() const noexcept { return ranges_.empty(); }
    size_t added() const noexcept { return added_; }
    size_t left() const noexcept { return items_.size() - usable_; }
    const std::vector<Item>& items() const noexcept { return items_; }
    // Unmaps and releases everything; throws after having tried all of it.
    void drop();

private:
    struct Range {
        CUdeviceptr base = 0;
        size_t reserved_bytes = 0;
    };
    std::map<uint32_t, Range> ranges_;
    std::map<uint64_t, CUdeviceptr> addresses_;
    std::vector<Item> items_;
    std::vector<CUmemGenericAllocationHandle> handles_;  // of the first added_ items
    size_t added_ = 0;
    size_t usable_ = 0;
};

}  // namespace gpusnap
