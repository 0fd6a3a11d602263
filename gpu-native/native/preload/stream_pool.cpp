#include "preload/stream_pool.h"

#include <algorithm>

#include "preload/blocks.h"
#include "preload/contexts.h"
#include "preload/hooks.h"
#include "preload/log.h"

namespace gpusnap::preload {
namespace {

// A block up to this much larger than what was asked for is taken rather than a new one made.
constexpr size_t tolerated_waste(size_t asked) {
    constexpr size_t floor = 2 << 20;
    return std::max(asked / 8, floor);
}

// Never given twice, unlike a thread id.
uint64_t thread_number() {
    static std::atomic<uint64_t> last{0};
    static thread_local const uint64_t number = ++last;
    return number;
}

}  // namespace

StreamKey canonical(CUstream stream, bool per_thread) {
    if (stream == nullptr) {
        stream = per_thread ? CU_STREAM_PER_THREAD : CU_STREAM_LEGACY;
    }
    bool special = stream == CU_STREAM_LEGACY || stream == CU_STREAM_PER_THREAD;
    return {stream, special ? current_context() : nullptr, stream == CU_STREAM_PER_THREAD ? thread_number() : 0};
}

CUcontext context_of(CUstream stream) {
    CUcontext context = nullptr;
    if (stream != CU_STREAM_LEGACY && stream != CU_STREAM_PER_THREAD &&
        real::cuStreamGetCtx(stream, &context) == CUDA_SUCCESS && context != nullptr) {
        return context;
    }
    return current_context();
}

StreamPools& StreamPools::get() {
    static StreamPools* only = new StreamPools();
    return *only;
}

std::shared_ptr<PoolState> StreamPools::find_locked(CUmemoryPool handle) {
    for (auto& pool : pools_) {
        if (pool->handle == handle) {
            return pool;
        }
    }
    return nullptr;
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
    std::lock_guard lock(mutex_);
    for (auto& pool : pools_) {
        for (RestingBlock& block : pool->resting) {
            if (block.stream.stream == stream) {
                block.stream = StreamKey{};
            }
        }
    }
}

std::shared_ptr<PoolState> StreamPools::state(CUmemoryPool handle, CUdevice device) {
    std::lock_guard lock(mutex_);
    auto pool = find_locked(handle);
    if (pool == nullptr) {
        pool = std::make_shared<PoolState>();  // a device's default pool: nobody created it
        pool->handle = handle;
        pool->device = device;
        pools_.push_back(pool);
    }
    return pool;
}

void StreamPools::note_marks(PoolState& pool) {
    pool.used_high = std::max(pool.used_high, pool.used);
    pool.reserved_high = std::max(pool.reserved_high, pool.used + pool.resting_bytes);
}

bool StreamPools::reuse_locked(PoolState& pool, size_t asked, StreamKey stream, bool wait, Allocation* reused) {
    auto best = pool.resting.end();
    for (auto at = pool.resting.begin(); at != pool.resting.end(); ++at) {
        if (at->memory.size < asked || at->memory.size - asked > tolerated_waste(asked)) {
            continue;
        }
        if (best != pool.resting.end() && best->memory.size <= at->memory.size) {
            continue;
        }
        if (at->stream == stream || wait || real::cuEventQuery(at->freed) == CUDA_SUCCESS) {
            best = at;
        }
    }
    if (best == pool.resting.end()) {
        return false;
    }
    if (wait && real::cuStreamWaitEvent(stream.stream, best->freed, 0) != CUDA_SUCCESS) {
        return false;
    }
    real::cuEventDestroy_v2(best->freed);
    *reused = best->memory;
    reused->asked = asked;
    pool.resting_bytes -= reused->size;
    resting_total_.fetch_sub(reused->size, std::memory_order_relaxed);
    pool.resting.erase(best);
    return true;
}

CUresult StreamPools::allocate(const std::shared_ptr<PoolState>& pool, size_t asked, StreamKey stream,
                               CUdeviceptr* address) {
    std::lock_guard lock(mutex_);
    RelaxedCapture relaxed;
    CUcontext context = context_of(stream.stream);
    CurrentContext scope(context);
    Allocation allocation;
    CUresult result = CUDA_SUCCESS;
    if (!reuse_locked(*pool, asked, stream, false, &allocation)) {
        result = Allocations::make(asked, context, pool->device, pool->access, &allocation);
        if (result == CUDA_ERROR_OUT_OF_MEMORY && reuse_locked(*pool, asked, stream, true, &allocation)) {
            result = CUDA_SUCCESS;
        }
        if (result == CUDA_ERROR_OUT_OF_MEMORY) {
            for (auto& other : pools_) {
                trim_locked(*other, 0);
            }
            result = Allocations::make(asked, context, pool->device, pool->access, &allocation);
        }
    }
    if (result != CUDA_SUCCESS) {
        return result;
    }
    allocation.pool = pool;
    allocation.context = context;
    pool->used += allocation.size;
    note_marks(*pool);
    Allocations::get().add(allocation);
    *address = allocation.address;
    return CUDA_SUCCESS;
}

CUresult StreamPools::free(Allocation allocation, StreamKey stream) {
    std::lock_guard lock(mutex_);
    RelaxedCapture relaxed;
    CurrentContext scope(context_of(stream.stream));
    RestingBlock block;
    CUresult result = real::cuEventCreate(&block.freed, CU_EVENT_DISABLE_TIMING);
    if (result == CUDA_SUCCESS) {
        result = real::cuEventRecord(block.freed, stream.stream);
    }
    if (result != CUDA_SUCCESS) {
        if (block.freed != nullptr) {
            real::cuEventDestroy_v2(block.freed);
        }
        Allocations::get().add(allocation);
        return result;
    }
    PoolState& pool = *allocation.pool;
    block.memory = std::move(allocation);
    block.memory.pool = nullptr;  // no circle of shared pointers
    block.stream = stream;
    pool.used -= block.memory.size;
    pool.resting_bytes += block.memory.size;
    resting_total_.fetch_add(block.memory.size, std::memory_order_relaxed);
    pool.resting.push_back(std::move(block));
    return CUDA_SUCCESS;
}

void StreamPools::forget_use(const Allocation& allocation) {
    std::lock_guard lock(mutex_);
    if (allocation.pool != nullptr) {
        allocation.pool->used -= allocation.size;
    }
}

void StreamPools::set_release_threshold(CUmemoryPool handle, uint64_t bytes) {
    auto pool = state(handle, current_device());
    std::lock_guard lock(mutex_);
    pool->release_threshold = bytes;
}

void StreamPools::reset_high_mark(CUmemoryPool handle, bool used) {
    std::lock_guard lock(mutex_);
    if (auto pool = find_locked(handle)) {
        (used ? pool->used_high : pool->reserved_high) = used ? pool->used : pool->used + pool->resting_bytes;
    }
}

uint64_t StreamPools::reserved_bytes(CUmemoryPool handle, bool high) {
    std::lock_guard lock(mutex_);
    auto pool = find_locked(handle);
    return pool == nullptr ? 0 : high ? pool->reserved_high : pool->used + pool->resting_bytes;
}

uint64_t StreamPools::used_bytes(CUmemoryPool handle, bool high) {
    std::lock_guard lock(mutex_);
    auto pool = find_locked(handle);
    return pool == nullptr ? 0 : high ? pool->used_high : pool->used;
}

CUresult StreamPools::set_access(CUmemoryPool handle, const CUmemAccessDesc* map, size_t count) {
    auto pool = state(handle, current_device());
    std::lock_guard lock(mutex_);
    pool->access.insert(pool->access.end(), map, map + count);
    std::vector<Allocation> affected = Allocations::get().of_pool(pool.get());
    for (const RestingBlock& block : pool->resting) {
        affected.push_back(block.memory);
    }
    for (const Allocation& allocation : affected) {
        CUresult result = BlockTable::get().set_access(allocation.address, allocation.size, map, count);
        if (result != CUDA_SUCCESS) {
            return result;
        }
    }
    return CUDA_SUCCESS;
}

void StreamPools::give_back_locked(PoolState& pool, std::list<RestingBlock>::iterator block) {
    CUresult result = Allocations::destroy(block->memory);
    if (result != CUDA_SUCCESS) {
        log(Level::error, "a freed block of %zu bytes could not be returned: CUDA error %d", block->memory.size, result);
    }
    real::cuEventDestroy_v2(block->freed);
    pool.resting_bytes -= block->memory.size;
    resting_total_.fetch_sub(block->memory.size, std::memory_order_relaxed);
    pool.resting.erase(block);
}

void StreamPools::trim_locked(PoolState& pool, uint64_t keep) {
    RelaxedCapture relaxed;
    for (auto at = pool.resting.begin(); at != pool.resting.end() && pool.resting_bytes > keep;) {
        auto block = at++;
        if (real::cuEventQuery(block->freed) == CUDA_SUCCESS) {
            give_back_locked(pool, block);
        }
    }
}

void StreamPools::trim(CUmemoryPool handle, uint64_t keep) {
    std::lock_guard lock(mutex_);
    if (auto pool = find_locked(handle)) {
        trim_locked(*pool, keep > pool->used ? keep - pool->used : 0);
    }
}

void StreamPools::trim_all() {
    std::lock_guard lock(mutex_);
    for (auto& pool : pools_) {
        trim_locked(*pool, 0);
    }
    // A destroyed pool's state is of no use once nothing is left in it.
    std::erase_if(pools_, [](const auto& pool) {
        return pool->handle == nullptr && pool->resting.empty() && pool.use_count() == 1;
    });
}

void StreamPools::trim_to_thresholds() {
    std::lock_guard lock(mutex_);
    for (auto& pool : pools_) {
        if (pool->resting_bytes > pool->release_threshold) {
            trim_locked(*pool, pool->release_threshold);
        }
    }
}

void StreamPools::drop_context(CUcontext context) {
    std::lock_guard lock(mutex_);
    for (auto& pool : pools_) {
        for (auto at = pool->resting.begin(); at != pool->resting.end();) {
            auto block = at++;
            if (block->memory.context == context) {
                give_back_locked(*pool, block);
            }
        }
    }
}

}  // namespace gpusnap::preload
