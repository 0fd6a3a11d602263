// Where the kernels write what they found: page-locked host memory, so that it does not queue for the copy engine behind
// gigabytes on their way to the host.
#pragma once

#include <cstddef>
#include <cstdint>

#include "driver/driver.h"

namespace gpusnap {

struct DigestResult {
    unsigned char digest[32];
    uint32_t not_zero;  // not 0: the span holds a byte that is not zero
};

// Borrowed for a call, and kept for the next one: page-locking takes longer than hashing.
class DigestResults {
public:
    // A GPU's context must be current; any GPU may write to it, at the address that the host uses (unified addressing).
    explicit DigestResults(size_t spans);
    // No work that writes to it may be under way.
    ~DigestResults();
    DigestResults(const DigestResults&) = delete;
    DigestResults& operator=(const DigestResults&) = delete;

    // Makes some before they are needed; the GPU's context must be current.
    static void prepare();

    const DigestResult& operator[](size_t span) const noexcept { return buffer_.results[span]; }
    CUdeviceptr address(size_t span) const noexcept { return reinterpret_cast<CUdeviceptr>(buffer_.results + span); }

    struct Buffer {
        DigestResult* results = nullptr;
        size_t capacity = 0;
    };

private:
    Buffer buffer_;
};

}  // namespace gpusnap
