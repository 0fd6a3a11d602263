// Copies and fills between host and device memory. Ranges are checked at the call, bytes move on the stream.
#pragma once

#include <cuda_abi.h>

#include <cstdint>

#include "work/queue.h"

namespace gpusnap::simulated {

// Either address may be of the host or the device. Throws CUDA_ERROR_INVALID_VALUE.
Work copy_work(uint64_t to, uint64_t from, uint64_t size);
Work copy_work(const CUDA_MEMCPY2D& copy);
Work copy_work(const CUDA_MEMCPY3D& copy);
// `element` 1, 2 or 4 bytes; `pitch` and `width` in bytes and elements.
Work fill_work(uint64_t to, uint64_t pitch, uint32_t value, unsigned element, uint64_t width, uint64_t height);

}  // namespace gpusnap::simulated
