// Stream-ordered allocation (cuMemAllocAsync and friends) from blocks of our own.
//
// A freed block is reusable in the freeing stream at once, because whatever uses it next is ordered after the
// free; in any other stream once an event recorded at the free has completed. That is the driver's own contract.
// Blocks rest in their pool until they are trimmed: by cuMemPoolTrimTo, by a synchronisation when more rests than
// the pool's release threshold (the driver's rule too, 0 by default), when memory runs out, and before a freeze.
#pragma once

#include <atomic>
#include <list>
#include <memory>
#include <mutex>
#include <vector>

#include "preload/allocations.h"

namespace gpusnap::preload {

// A stream, with the default ones told apart: the legacy one is another in each context, the per-thread one in
// each thread.
struct StreamKey {
    CUstream stream = nullptr;
    CUcontext context = nullptr;
    uint64_t thread = 0;
    bool operator==(const StreamKey&) const = default;
};
StreamKey canonical(CUstream stream, bool per_thread);

struct RestingBlock {
    Allocation memory;
    StreamKey stream;  // a null stream once it is gone: only the event counts then
    CUevent freed = nullptr;
};

struct PoolState {
    CUmemoryPool handle = nullptr;
    CUdevice device = 0;
    bool ours = true;  // false: the driver serves it (shareable, host or size-limited pools)
    uint64_t release_threshold = 0;
    uint64_t used = 0;
    uint64_t used_high = 0;
    uint64_t resting_bytes = 0;
    uint64_t reserved_high = 0;
    std::vector<CUmemAccessDesc> access;
    std::list<RestingBlock> resting;
};

// The context that a stream belongs to.
CUcontext context_of(CUstream stream);

class StreamPools {
public:
    static StreamPools& get();

    void created(CUmemoryPool handle, const CUmemPoolProps& properties);
    void imported(CUmemoryPool handle);
    void destroyed(CUmemoryPool handle);
    void stream_destroyed(CUstream stream);
    std::shared_ptr<PoolState> state(CUmemoryPool handle, CUdevice device);

    CUresult allocate(const std::shared_ptr<PoolState>& pool, size_t asked, StreamKey stream, CUdeviceptr* address);
    // The allocation has left the table of live ones.
    CUresult free(Allocation allocation, StreamKey stream);
    // Freed for good by a synchronous cuMemFree.
    void forget_use(const Allocation& allocation);

    void set_release_threshold(CUmemoryPool handle, uint64_t bytes);
    void reset_high_mark(CUmemoryPool handle, bool used);
    uint64_t reserved_bytes(CUmemoryPool handle, bool high);
    uint64_t used_bytes(CUmemoryPool handle, bool high);
    CUresult set_access(CUmemoryPool handle, const CUmemAccessDesc* map, size_t count);

    // Gives resting blocks back whose stream has passed the free, until at most `keep` bytes rest.
    void trim(CUmemoryPool handle, uint64_t keep);
    void trim_all();
    void trim_to_thresholds();
    bool any_resting() const { return resting_total_.load(std::memory_order_relaxed) > 0; }
    // Everything of a context that is about to go.
    void drop_context(CUcontext context);

private:
    std::shared_ptr<PoolState> find_locked(CUmemoryPool handle);
    bool reuse_locked(PoolState& pool, size_t asked, StreamKey stream, bool wait, Allocation* reused);
    void trim_locked(PoolState& pool, uint64_t keep);
    void give_back_locked(PoolState& pool, std::list<RestingBlock>::iterator block);
    void note_marks(PoolState& pool);

    std::mutex mutex_;
    std::vector<std::shared_ptr<PoolState>> pools_;
    std::atomic<uint64_t> resting_total_{0};
};

}  // namespace gpusnap::preload
