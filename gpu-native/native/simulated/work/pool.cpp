#include "work/pool.h"

#include <map>
#include <mutex>

#include "core/device.h"
#include "memory/memory.h"
#include "work/submit.h"

namespace gpusnap::simulated {
namespace {

struct DevicePools {
  std::shared_ptr<Pool> standard;
  std::shared_ptr<Pool> current;
};

std::mutex mutex;

DevicePools& of(CUdevice device) {
  static auto* all = new std::map<CUdevice, DevicePools>;
  devices().gpu(device);
  DevicePools& entry = (*all)[device];
  if (!entry.standard) {
    entry.standard = std::make_shared<Pool>();
    entry.standard->device = device;
    entry.standard->is_default = true;
    entry.current = entry.standard;
    pools().add<CUmemoryPool>(entry.standard);
  }
  return entry;
}

void account(Pool& pool, uint64_t size) {
  const uint64_t used = pool.used_bytes += size;
  uint64_t most = pool.most_bytes;
  while (most < used && !pool.most_bytes.compare_exchange_weak(most, used)) {
  }
}

}  // namespace

Registry<Pool>& pools() {
  static auto* instance = new Registry<Pool>;
  return *instance;
}

std::shared_ptr<Pool> default_pool(CUdevice device) {
  const std::lock_guard lock(mutex);
  return of(device).standard;
}

std::shared_ptr<Pool> current_pool(CUdevice device) {
  const std::lock_guard lock(mutex);
  return of(device).current;
}

void set_current_pool(CUdevice device, const std::shared_ptr<Pool>& pool) {
  const std::lock_guard lock(mutex);
  of(device).current = pool;
}

std::shared_ptr<void> allocate_for_graph(uint64_t size, CUdevice device, uint64_t* address) {
  const auto pool = default_pool(device);
  const uint64_t at = memory().allocate(size, device, Allocation::Kind::kPool, nullptr, pool.get());
  account(*pool, size);
  *address = at;
  return std::shared_ptr<void>(reinterpret_cast<void*>(at), [pool, size](void* memory_address) {
    memory().free(reinterpret_cast<uint64_t>(memory_address));
    pool->used_bytes -= size;
  });
}

uint64_t allocate_async(uint64_t size, const std::shared_ptr<Pool>& pool, const std::shared_ptr<Stream>& stream) {
  if (capturing(*stream)) {
    uint64_t address = 0;
    auto holder = allocate_for_graph(size, pool->device, &address);
    submit(stream, CU_GRAPH_NODE_TYPE_MEM_ALLOC, [] {});
    const std::lock_guard lock(stream->context->submission);
    stream->capture->graph->memory.push_back(std::move(holder));
    return address;
  }
  const auto allocate = [&] { return memory().allocate(size, pool->device, Allocation::Kind::kPool, stream->context, pool.get()); };
  uint64_t address = 0;
  try {
    address = allocate();
  } catch (const Error& error) {
    if (error.code != CUDA_ERROR_OUT_OF_MEMORY) throw;
    // What this stream has freed before may be reused here; memory is only free when the stream has come to that.
    stream->queue->last().wait();
    address = allocate();
  }
  account(*pool, size);
  return address;
}

void free_async(uint64_t address, const std::shared_ptr<Stream>& stream) {
  const auto allocation = memory().allocation_at(address);
  require(allocation && allocation->address == address);
  if (capturing(*stream)) {
    require(allocation->context == nullptr, CUDA_ERROR_NOT_SUPPORTED);  // only what the same capture allocated
    submit(stream, CU_GRAPH_NODE_TYPE_MEM_FREE, [] {});
    return;
  }
  submit(stream, CU_GRAPH_NODE_TYPE_MEM_FREE, [freed = *allocation] {
    memory().free(freed.address);
    if (freed.pool != nullptr) freed.pool->used_bytes -= freed.size;
  });
}

}  // namespace gpusnap::simulated
