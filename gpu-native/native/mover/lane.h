// One stream for all copies of a GPU in one direction, whoever asks for them: copies follow each other without a gap, and those
// of one call end before those of the next. Were two calls to copy side by side, they would end at the same time, and the bus
// would idle while the device hashes what both have brought.
#pragma once

#include <mutex>

#include "driver/gpu.h"

namespace gpusnap {

// The copies of one call. The GPU's context must be current on this thread, for the whole life of the object.
class CopyLane {
public:
    // Until leave(), this thread alone enqueues copies on the lane.
    CopyLane(Gpu& gpu, gpusnap_direction direction);
    // Waits for the copies when the call fails: its buffers must not be in use once it returns.
    ~CopyLane();
    CopyLane(const CopyLane&) = delete;
    CopyLane& operator=(const CopyLane&) = delete;

    CUstream stream() const noexcept;
    // All copies are enqueued. Work that is put on the follower from here on begins after them; whoever waits for the follower
    // has waited for them.
    void leave(CUstream follower);

private:
    struct Lane;
    static Lane& lane_of(Gpu& gpu, gpusnap_direction direction);

    Lane& lane_;
    std::unique_lock<std::mutex> turn_;
    bool followed_ = false;
};

}  // namespace gpusnap
