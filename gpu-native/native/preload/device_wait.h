// Waiting for the device with a time limit, which the driver's own wait does not have.
#pragma once

#include <chrono>
#include <vector>

#include "cuda_abi.h"

namespace gpusnap::preload {

class DeviceWait {
public:
    enum class Answer { idle, failed, timed_out, still_waiting };
    // A thread of its own waits in the driver. If it is late, it is left behind until the device ends (which may
    // need an open gate: work on the device can wait for a callback, and that for a thread at the gate), and
    // further calls answer still_waiting until then.
    static Answer all_contexts(std::vector<CUcontext> contexts, std::chrono::steady_clock::time_point deadline,
                               CUresult* failure);
};

}  // namespace gpusnap::preload
