#include "preload/stream_pool.h"

#include <algorithm>
#include <utility>

#include "preload/blocks.h"
#include "preload/contexts.h"

namespace gpusnap::preload {

uint64_t PoolState::resting() const {
    uint64_t bytes = 0;
    for (const auto& arena : arenas) {
        bytes += arena->free_bytes();
    }
    return bytes;
}

StreamPools& StreamPools::get() {
    static StreamPools* only = new StreamPools();
    return *only;
}

std::shared_ptr<PoolState> StreamPools::find_locked(CUmemoryPool handle) {
    auto found = std::find_if(pools_.begin(), pools_.end(), [&](const auto& pool) { return pool->handle == handle; });
    return found == pools_.end() ? nullptr : *found;
}

void StreamPools::created(CUmemoryPool handle, const CUmemPoolProps& properties) {
    auto pool = std::make_shared<PoolState>();
    pool->handle = handle;
    pool->device = properties.location.id;
    pool->ours = properties.allocType == CU_MEM_ALLOCATION_TYPE_PINNED &&
                 properties.location.type == CU_MEM_LOCATION_TYPE_DEVICE &&
                 properties.handleTypes == CU_MEM_HANDLE_TYPE_NONE && properties.maxSize == 0;
    std::lock_guard lock(mutex_);
    pools_.push_back(std::move(pool));
}

void StreamPools::imported(CUmemoryPool handle) {
    auto pool = std::make_shared<PoolState>();
    pool->handle = handle;
    pool->ours = false;
    std::lock_guard lock(mutex_);
    pools_.push_back(std::move(pool));
}

// Outstanding allocations keep the state alive; its handle may come to mean another pool.
void StreamPools::destroyed(CUmemoryPool handle) {
    std::lock_guard lock(mutex_);
    if (auto pool = find_locked(handle)) {
        pool->handle = nullptr;
        pool->release_threshold = 0;
        trim_locked(*pool, 0);
    }
}

// A new stream may get the same handle, but it is not ordered after the old one's frees.
void StreamPools::stream_destroyed(CUstream stream) {
    forget_contexts_of_streams();
    std::lock_guard lock(mutex_);
    for (auto& pool : pools_) {
        for (auto& arena : pool->arenas) {
            arena->stream_ends(stream);
        }
    }
}

// Under the lock, so that whoever asks a stream under it has ended or sees the capture.
void StreamPools::capture_begins(CUstream stream) {
    std::lock_guard lock(mutex_);
    Captures::get().begin(stream);
}

const std::shared_ptr<PoolState>& StreamPools::state_locked(CUmemoryPool handle, CUdevice device) {
    for (const auto& pool : pools_) {
        if (pool->handle == handle) {
            return pool;
        }
    }
    auto pool = std::make_shared<PoolState>();
    pool->handle = handle;
    pool->device = device;
    return pools_.emplace_back(std::move(pool));
}

Arena& StreamPools::arena_locked(PoolState& pool, CUcontext context) {
    for (auto& arena : pool.arenas) {
        if (arena->context() == context) {
            return *arena;
        }
    }
    if (Contexts::get().note(context, device_of(context))) {
        BlockTable::get().let_peers_in();
    }
    return *pool.arenas.emplace_back(std::make_unique<Arena>(context, pool.device));
}

std::optional<CUresult> StreamPools::allocate(CUmemoryPool handle, CUdevice device, size_t asked, const StreamKey& stream,
                                              CUdeviceptr* address) {
    Allocation allocation;
    {
        std::lock_guard lock(mutex_);
        std::shared_ptr<PoolState> pool = state_locked(handle, device);
        if (!pool->ours || !Allocations::supported(pool->device)) {
            return std::nullopt;
        }
        Arena& arena = arena_locked(*pool, stream.context);
        CUresult result = arena.allocate(asked, stream, pool->access, &allocation.range);
        if (result == CUDA_ERROR_OUT_OF_MEMORY && trim_all_locked(false)) {
            result = arena.allocate(asked, stream, pool->access, &allocation.range);
        }
        if (result != CUDA_SUCCESS) {
            return result;
        }
        allocation.size = allocation.range->size;
        allocation.address = allocation.range->address;
        pool->used += allocation.size;
        pool->used_high = std::max(pool->used_high, pool->used);
        pool->reserved_high = std::max(pool->reserved_high, pool->reserved());
        allocation.pool = std::move(pool);
    }
    allocation.asked = asked;
    allocation.context = stream.context;
    allocation.device = allocation.pool->device;
    *address = allocation.address;
    Allocations::get().add(std::move(allocation));
    return CUDA_SUCCESS;
}

void StreamPools::note_freed_locked(PoolState& pool, const Allocation& allocation) {
    pool.used -= allocation.size;
    if (!std::exchange(pool.freed, true)) {
        any_freed_.store(true, std::memory_order_relaxed);
    }
}

void StreamPools::free(const Allocation& allocation, const StreamKey& stream) {
    std::lock_guard lock(mutex_);
    arena_locked(*allocation.pool, allocation.context).free(allocation.range, stream);
    note_freed_locked(*allocation.pool, allocation);
}

void StreamPools::give_back(const Allocation& allocation) {
    std::lock_guard lock(mutex_);
    arena_locked(*allocation.pool, allocation.context).give_back(allocation.range);
    note_freed_locked(*allocation.pool, allocation);
}

void StreamPools::set_release_threshold(CUmemoryPool handle, uint64_t bytes) {
    CUdevice device = current_device();
    std::lock_guard lock(mutex_);
    PoolState& pool = *state_locked(handle, device);
    pool.release_threshold = bytes;
    pool.freed = true;
    any_freed_.store(true, std::memory_order_relaxed);
}

void StreamPools::reset_high_mark(CUmemoryPool handle, bool used) {
    std::lock_guard lock(mutex_);
    if (auto pool = find_locked(handle)) {
        (used ? pool->used_high : pool->reserved_high) = used ? pool->used : pool->reserved();
    }
}

uint64_t StreamPools::reserved_bytes(CUmemoryPool handle, bool high) {
    std::lock_guard lock(mutex_);
    auto pool = find_locked(handle);
    return pool == nullptr ? 0 : high ? pool->reserved_high : pool->reserved();
}

uint64_t StreamPools::used_bytes(CUmemoryPool handle, bool high) {
    std::lock_guard lock(mutex_);
    auto pool = find_locked(handle);
    return pool == nullptr ? 0 : high ? pool->used_high : pool->used;
}

CUresult StreamPools::set_access(CUmemoryPool handle, const CUmemAccessDesc* map, size_t count) {
    CUdevice device = current_device();
    std::lock_guard lock(mutex_);
    const auto& pool = state_locked(handle, device);
    pool->access.insert(pool->access.end(), map, map + count);
    for (auto& arena : pool->arenas) {
        CUresult result = arena->set_access(map, count);
        if (result != CUDA_SUCCESS) {
            return result;
        }
    }
    return CUDA_SUCCESS;
}

bool StreamPools::trim_locked(PoolState& pool, uint64_t keep) {
    uint64_t resting = pool.resting();
    uint64_t wanted = resting > keep ? resting - keep : 0;
    uint64_t trimmed = 0;
    for (auto& arena : pool.arenas) {
        if (trimmed < wanted) {
            trimmed += arena->trim(wanted - trimmed);
        }
    }
    return trimmed > 0;
}

void StreamPools::trim(CUmemoryPool handle, uint64_t keep) {
    std::lock_guard lock(mutex_);
    if (auto pool = find_locked(handle)) {
        trim_locked(*pool, keep > pool->used ? keep - pool->used : 0);
    }
}

bool StreamPools::trim_all(bool at_rest) {
    std::lock_guard lock(mutex_);
    return trim_all_locked(at_rest);
}

bool StreamPools::trim_all_locked(bool at_rest) {
    bool trimmed = false;
    for (auto& pool : pools_) {
        for (auto& arena : pool->arenas) {
            if (at_rest) {
                arena->all_passed();
            }
        }
        trimmed = trim_locked(*pool, 0) || trimmed;
    }
    // A destroyed pool's state is of no use once nothing is left in it.
    std::erase_if(pools_, [](const auto& pool) {
        return pool->handle == nullptr && pool->reserved() == 0 && pool.use_count() == 1;
    });
    return trimmed;
}

void StreamPools::trim_to_thresholds() {
    std::lock_guard lock(mutex_);
    bool any = false;
    for (auto& pool : pools_) {
        if (!pool->freed) {
            continue;
        }
        trim_locked(*pool, pool->release_threshold);
        // What a stream has still to pass is looked at again, until it has.
        bool waits = std::any_of(pool->arenas.begin(), pool->arenas.end(), [](const auto& arena) { return arena->waits(); });
        pool->freed = waits && pool->resting() > pool->release_threshold;
        any = any || pool->freed;
    }
    any_freed_.store(any, std::memory_order_relaxed);
}

void StreamPools::drop_context(CUcontext context) {
    forget_contexts_of_streams();
    std::lock_guard lock(mutex_);
    for (auto& pool : pools_) {
        std::erase_if(pool->arenas, [&](const auto& arena) {
            bool ends = arena->context() == context;
            if (ends) {
                arena->drop();
            }
            return ends;
        });
    }
}

std::vector<Ranges::Region> StreamPools::resting() {
    std::lock_guard lock(mutex_);
    std::vector<Ranges::Region> all;
    for (auto& pool : pools_) {
        for (auto& arena : pool->arenas) {
            std::vector<Ranges::Region> some = arena->free_ranges();
            all.insert(all.end(), some.begin(), some.end());
        }
    }
    return all;
}

}  // namespace gpusnap::preload
