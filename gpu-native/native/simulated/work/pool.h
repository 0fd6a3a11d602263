// Stream-ordered memory pools. Memory goes back to the GPU as soon as it is freed, whatever the release threshold says.
#pragma once

#include <cuda_abi.h>

#include <atomic>
#include <memory>

#include "core/registry.h"
#include "work/context.h"

namespace gpusnap::simulated {

struct Pool {
  CUdevice device;
  bool is_default;
  std::atomic<uint64_t> settings[5] = {};  // by CUmemPool_attribute, up to the release threshold
  std::atomic<uint64_t> used_bytes{0};
  std::atomic<uint64_t> most_bytes{0};
};

Registry<Pool>& pools();
std::shared_ptr<Pool> default_pool(CUdevice device);
std::shared_ptr<Pool> current_pool(CUdevice device);
void set_current_pool(CUdevice device, const std::shared_ptr<Pool>& pool);

uint64_t allocate_async(uint64_t size, const std::shared_ptr<Pool>& pool, const std::shared_ptr<Stream>& stream);
void free_async(uint64_t address, const std::shared_ptr<Stream>& stream);
// Memory of an alloc node: freed with the last that holds the result.
std::shared_ptr<void> allocate_for_graph(uint64_t size, CUdevice device, uint64_t* address);

}  // namespace gpusnap::simulated
