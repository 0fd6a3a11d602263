// The order of copies on a GPU. Two calls that copy at the same time would share the bus and end at the same time, and then it
// idles while the device hashes what both have brought; one after the other, each is hashed while the next one copies.
#pragma once

#include <mutex>

#include "driver/gpu.h"

namespace gpusnap {

// From its making to done(), this thread alone enqueues copies of that direction; they begin when those of the turn before have
// ended. The GPU's context must be current.
class CopyTurn {
public:
    CopyTurn(Gpu& gpu, gpusnap_direction direction, CUstream stream);
    CopyTurn(const CopyTurn&) = delete;
    CopyTurn& operator=(const CopyTurn&) = delete;
    // All copies are enqueued.
    void done();

private:
    struct Order;
    static Order& order_of(Gpu& gpu, gpusnap_direction direction);

    Order& order_;
    std::unique_lock<std::mutex> lock_;
    CUstream stream_;
};

}  // namespace gpusnap
