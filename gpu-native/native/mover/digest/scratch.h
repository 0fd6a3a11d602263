// Device memory that a digest call works with. Borrowed for the call. What one gives back is kept for others while a call is
// under way or memory of a workload is mapped here: to free device memory waits for everything that the GPU is doing, also for
// copies that take milliseconds. An idle daemon holds nothing that a workload could need.
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

    // Of all GPUs, what no call uses. Called when the last memory of a workload is no longer mapped here.
    static void free_idle() noexcept;

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
