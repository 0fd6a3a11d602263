// Device memory of the current context for as long as the object lives.
#pragma once

#include <cstdint>

#include "driver/driver.h"

namespace gpusnap {

class ScratchBuffer {
public:
    explicit ScratchBuffer(uint64_t bytes) {
        Driver::get().check(Driver::get().cuMemAlloc_v2(&address_, bytes), "cuMemAlloc_v2");
    }
    ~ScratchBuffer() { Driver::get().cuMemFree_v2(address_); }
    ScratchBuffer(const ScratchBuffer&) = delete;
    ScratchBuffer& operator=(const ScratchBuffer&) = delete;
    CUdeviceptr address() const noexcept { return address_; }

private:
    CUdeviceptr address_ = 0;
};

}  // namespace gpusnap
