// Copies and fills between host and device memory. Ranges are checked at the call, bytes move on the stream.
#pragma once

#include <cuda_abi.h>

#include <cstdint>

#include "work/queue.h"

namespace gpusnap::simulated {

// One end of a copy, of the host or the device, and the GPU that reaches for it.
struct End {
  CUdevice by;
  uint64_t address;
};

// All throw CUDA_ERROR_INVALID_VALUE for what the GPU cannot reach.
Work copy_work(End to, End from, uint64_t size);
Work copy_work(CUdevice by, const CUDA_MEMCPY2D& copy);
Work copy_work(CUdevice by, const CUDA_MEMCPY3D& copy);
// `element` 1, 2 or 4 bytes; `pitch` and `width` in bytes and elements.
Work fill_work(CUdevice by, uint64_t to, uint64_t pitch, uint32_t value, unsigned element, uint64_t width, uint64_t height);

}  // namespace gpusnap::simulated
