// The workload's buffers, by number, and the pattern they are filled with.
#pragma once

#include <cstdint>
#include <vector>

#include "cuda_abi.h"

namespace workload {

struct Buffer {
    CUdeviceptr address = 0;
    size_t size = 0;
    CUstream stream = nullptr;  // of a stream-ordered allocation
    bool stream_ordered = false;
};

std::vector<Buffer>& buffers();
size_t keep(const Buffer& buffer);

void fill(CUdeviceptr address, size_t size, uint64_t seed);
// The number of bytes that differ from the pattern.
uint64_t differing_bytes(CUdeviceptr address, size_t size, uint64_t seed);

}  // namespace workload
