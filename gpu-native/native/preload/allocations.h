// Allocations that the application asked the driver for and we made by virtual memory management: an address range of
// our own with one physical block behind it.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "cuda_abi.h"

namespace gpusnap::preload {

struct PoolState;

struct Allocation {
    CUdeviceptr address = 0;
    size_t asked = 0;  // bytes the application asked for
    size_t size = 0;   // bytes of the block and the range: a multiple of the granularity
    uint64_t block = 0;
    uint64_t buffer_id = 0;  // as CU_POINTER_ATTRIBUTE_BUFFER_ID: stays the same over a thaw
    CUcontext context = nullptr;
    CUdevice device = 0;
    std::shared_ptr<PoolState> pool;  // null: from cuMemAlloc
};

class Allocations {
public:
    static Allocations& get();
    // Whether the device can do all of this.
    static bool supported(CUdevice device);

    // Range, block, mapping and access; not yet in the table.
    static CUresult make(size_t asked, CUcontext context, CUdevice device,
                         const std::vector<CUmemAccessDesc>& more_access, Allocation* made);
    static CUresult destroy(const Allocation& allocation);

    void add(const Allocation& allocation);
    // The allocation that starts at an address leaves the table.
    bool take(CUdeviceptr start, Allocation* taken);
    // The allocation that holds an address.
    bool find(CUdeviceptr address, Allocation* found);
    std::vector<Allocation> of_pool(const PoolState* pool);
    std::vector<Allocation> take_of_context(CUcontext context);
    // Freed while a stream records a graph, when waiting for the device is not allowed: to be destroyed later.
    void defer(const Allocation& allocation);
    bool any_deferred() const noexcept { return any_deferred_.load(std::memory_order_relaxed); }
    std::vector<Allocation> take_deferred();

private:
    uint64_t fresh_buffer_id();

    std::mutex mutex_;
    std::map<CUdeviceptr, Allocation> live_;
    std::vector<Allocation> deferred_;
    std::atomic<bool> any_deferred_{false};
    uint64_t last_buffer_id_ = 1ull << 62;  // far above the driver's own
};

// Device memory that stays with the driver, as far as it passes through here; for the status report.
class DriverMemory {
public:
    static DriverMemory& get();
    void add(CUdeviceptr address, size_t size, bool managed_memory);
    void remove(CUdeviceptr address);
    uint64_t bytes();
    // cuMemAllocManaged blocks alive: the driver cannot checkpoint them.
    uint64_t managed_memory_count();

private:
    struct Entry {
        size_t size;
        bool managed_memory;
    };
    std::mutex mutex_;
    std::map<CUdeviceptr, Entry> entries_;
    uint64_t bytes_ = 0;
    uint64_t managed_memory_ = 0;
};

}  // namespace gpusnap::preload
