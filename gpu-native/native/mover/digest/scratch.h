// Device memory that a digest call works with. Borrowed for the call: what one call gives back is kept for others only while
// any is under way, so an idle daemon holds nothing that a workload could need.
#pragma once

#include "driver/gpu.h"

namespace gpusnap {

class DigestScratch {
public:
    static constexpr size_t most_spans = 2048;
    static constexpr size_t fewest_spans = 16;

    // Room for that many spans, or for as many as there is memory for. The GPU's context must be current, for the whole life
    // of the object. Throws GPUSNAP_E_NO_DEVICE_MEMORY when there is not even room for fewest_spans.
    DigestScratch(Gpu& gpu, size_t wanted_spans);
    // No work on the memory may be under way.
    ~DigestScratch();
    DigestScratch(const DigestScratch&) = delete;
    DigestScratch& operator=(const DigestScratch&) = delete;

    // In spans.
    size_t capacity() const noexcept { return buffer_.capacity; }
    CUdeviceptr address() const noexcept { return buffer_.address; }

    struct Buffer {
        CUdeviceptr address = 0;
        size_t capacity = 0;
    };

private:
    Gpu& gpu_;
    Buffer buffer_;
};

}  // namespace gpusnap
