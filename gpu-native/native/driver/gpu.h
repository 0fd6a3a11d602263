// One GPU of this process: its driver handle and, once needed, its primary context.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "driver/driver.h"

namespace gpusnap {

using UuidBytes = std::array<unsigned char, 16>;

class Gpu {
public:
    explicit Gpu(uint32_t ordinal);
    uint32_t ordinal() const noexcept { return ordinal_; }
    CUdevice device() const noexcept { return device_; }
    const UuidBytes& uuid() const noexcept { return uuid_; }
    // Retains the primary context at the first call; it costs device memory, so only then.
    CUcontext context();
    CUmemAllocationProp allocation_properties() const;

private:
    uint32_t ordinal_;
    CUdevice device_ = 0;
    UuidBytes uuid_{};
    std::mutex mutex_;
    CUcontext context_ = nullptr;
};

uint32_t gpu_count();
// Throws GPUSNAP_E_INVALID for an unknown ordinal.
Gpu& gpu(uint32_t ordinal);
Gpu& gpu_by_uuid(const UuidBytes& uuid);

std::string format_uuid(const UuidBytes& uuid);
UuidBytes parse_uuid(const char* text);

// Makes a GPU's primary context current on this thread for the life of the object.
class ContextScope {
public:
    explicit ContextScope(Gpu& gpu);
    ~ContextScope();
    ContextScope(const ContextScope&) = delete;
    ContextScope& operator=(const ContextScope&) = delete;
};

}  // namespace gpusnap
