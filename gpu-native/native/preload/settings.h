// The environment of the workload, read once at its first use of CUDA.
#pragma once

#include <cstddef>
#include <string>

namespace gpusnap::preload {

struct Settings {
    size_t min_managed_bytes;      // GPUSNAP_MIN_MANAGED_BYTES, smaller allocations stay with the driver
    std::string socket_directory;  // GPUSNAP_SOCKET_DIR

    static const Settings& get();
};

}  // namespace gpusnap::preload
