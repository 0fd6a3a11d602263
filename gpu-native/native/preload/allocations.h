// Allocations that the application asked the driver for and we made by virtual memory management: an address range of
// our own with one physical block behind it, or a part of what a pool has.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "cuda_abi.h"

namespace gpusnap::preload {

struct PoolState;
struct Range;

struct Allocation {
    CUdeviceptr address = 0;
    size_t asked = 0;  // bytes the application asked for
    size_t size = 0;   // bytes of the range
    uint64_t block = 0;      // from cuMemAlloc: behind all of the range, whose size is a multiple of the granularity
    Range* range = nullptr;  // stream-ordered: of the pool's arena of this context
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

    // Of a block of the kind that is made here; 0 when the driver does not tell.
    static size_t granularity_of(CUdevice device);

    // Range, block, mapping and access, for cuMemAlloc; not yet in the table.
    static CUresult make(size_t asked, CUcontext context, CUdevice device, Allocation* made);
    static CUresult destroy(const Allocation& allocation);
    // The same without the range. What cannot be unmapped is still there.
    static CUresult back(CUdeviceptr address, size_t size, CUdevice device, const std::vector<CUmemAccessDesc>& more_access,
                         uint64_t* block);
    static CUresult unback(CUdeviceptr address, size_t size, uint64_t block);

    void add(Allocation allocation);
    // The allocation that starts at an address leaves the table.
    bool take(CUdeviceptr start, Allocation* taken);
    // The same, but only if it is stream-ordered.
    enum class Taken { yes, no, not_stream_ordered };
    Taken take_stream_ordered(CUdeviceptr start, Allocation* taken);
    // The allocation that holds an address.
    bool find(CUdeviceptr address, Allocation* found);
    // Also those that are to be destroyed later.
    std::vector<Allocation> take_of_context(CUcontext context);
    // Freed while a stream records a graph, when waiting for the device is not allowed: to be destroyed later.
    void defer(const Allocation& allocation);
    bool any_deferred() const noexcept { return any_deferred_.load(std::memory_order_relaxed); }
    std::vector<Allocation> take_deferred();

private:
    static CUresult free_addresses(CUdeviceptr address, size_t size);

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
    std::unordered_map<CUdeviceptr, Entry> entries_;
    uint64_t bytes_ = 0;
    uint64_t managed_memory_ = 0;
};

}  // namespace gpusnap::preload
