// Stream-ordered allocation (cuMemAllocAsync and friends) from memory of our own.
//
// Freed memory is reusable in the freeing stream at once, because whatever uses it next is ordered after the free; in any other
// stream once the freeing one has passed the free. That is the driver's own contract. It rests in its pool until it is trimmed: by
// cuMemPoolTrimTo, by a synchronisation when more rests than the pool's release threshold (the driver's rule too, 0 by default),
// when memory runs out, and before a freeze.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "preload/allocations.h"
#include "preload/arena.h"
#include "preload/freeing_stream.h"

namespace gpusnap::preload {

struct PoolState {
    CUmemoryPool handle = nullptr;
    CUdevice device = 0;
    bool ours = true;  // false: the driver serves it (shareable, host or size-limited pools)
    uint64_t release_threshold = 0;
    uint64_t used = 0;
    uint64_t used_high = 0;
    uint64_t reserved_high = 0;
    bool freed = false;  // since it was trimmed last, or there is still something to trim
    std::vector<CUmemAccessDesc> access;
    std::vector<std::unique_ptr<Arena>> arenas;  // one for each context

    uint64_t resting() const;
    uint64_t reserved() const { return used + resting(); }
};

class StreamPools {
public:
    static StreamPools& get();

    void created(CUmemoryPool handle, const CUmemPoolProps& properties);
    void imported(CUmemoryPool handle);
    void destroyed(CUmemoryPool handle);
    void stream_destroyed(CUstream stream);
    // To be called before the driver hears of it.
    void capture_begins(CUstream stream);

    // Nothing: the driver serves this pool. The device is the pool's, should it be unknown: a device's default one, which nobody
    // created.
    std::optional<CUresult> allocate(CUmemoryPool handle, CUdevice device, size_t asked, const StreamKey& stream,
                                     CUdeviceptr* address);
    // The allocation has left the table of live ones.
    void free(const Allocation& allocation, const StreamKey& stream);
    // The same for one that nobody works with any more, as after a synchronous cuMemFree.
    void give_back(const Allocation& allocation);

    void set_release_threshold(CUmemoryPool handle, uint64_t bytes);
    void reset_high_mark(CUmemoryPool handle, bool used);
    uint64_t reserved_bytes(CUmemoryPool handle, bool high);
    uint64_t used_bytes(CUmemoryPool handle, bool high);
    CUresult set_access(CUmemoryPool handle, const CUmemAccessDesc* map, size_t count);

    // Gives resting memory back whose stream has passed the free, until at most `keep` bytes rest.
    void trim(CUmemoryPool handle, uint64_t keep);
    // All of it; false when nothing could be given back. `at_rest`: the device is, so no stream needs to be asked.
    bool trim_all(bool at_rest);
    void trim_to_thresholds();
    bool any_freed() const { return any_freed_.load(std::memory_order_relaxed); }
    // Everything of a context that is about to go.
    void drop_context(CUcontext context);
    // What rests among memory in use.
    std::vector<Ranges::Region> resting();

private:
    std::shared_ptr<PoolState> find_locked(CUmemoryPool handle);
    const std::shared_ptr<PoolState>& state_locked(CUmemoryPool handle, CUdevice device);
    Arena& arena_locked(PoolState& pool, CUcontext context);
    bool trim_locked(PoolState& pool, uint64_t keep);
    bool trim_all_locked(bool at_rest);
    void note_freed_locked(PoolState& pool, const Allocation& allocation);

    std::mutex mutex_;
    std::vector<std::shared_ptr<PoolState>> pools_;
    std::atomic<bool> any_freed_{false};
};

}  // namespace gpusnap::preload
