// Where the kernels' arrays are in the scratch memory of a group of spans.
#pragma once

#include <cstdint>

#include "gpusnap.h"

namespace gpusnap {

class DigestLayout {
public:
    static constexpr uint64_t leaf_bytes = 4096;
    static constexpr uint64_t span_bytes = 4ull << 20;
    static constexpr uint64_t leaves_per_span = span_bytes / leaf_bytes;
    static constexpr uint64_t digest_bytes = 32;

    explicit constexpr DigestLayout(uint64_t spans) : spans_(spans) {}

    constexpr uint64_t leaves_offset() const { return 0; }
    constexpr uint64_t spans_offset() const { return spans_ * leaves_per_span * digest_bytes; }
    // A word for each span.
    constexpr uint64_t flags_offset() const { return spans_offset() + spans_ * sizeof(gpusnap_span); }
    constexpr uint64_t flags_bytes() const { return spans_ * sizeof(uint32_t); }
    constexpr uint64_t bytes() const { return flags_offset() + flags_bytes(); }

private:
    uint64_t spans_;
};

}  // namespace gpusnap
