// Device memory that another process can reach. A freeze would give that process stale memory, so it is refused.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>

#include "cuda_abi.h"

namespace gpusnap::preload {

class Sharing {
public:
    static Sharing& get();
    // Something was shared that we cannot see the end of.
    void note_for_good(const char* what);
    // Opened IPC mappings, and imported handles, end when they are closed.
    void opened(CUdeviceptr address);
    void closed(CUdeviceptr address);
    void imported(CUmemGenericAllocationHandle handle);
    void released(CUmemGenericAllocationHandle handle);
    bool any();

private:
    std::mutex mutex_;
    bool for_good_ = false;
    std::map<CUdeviceptr, uint32_t> opened_;
    std::map<CUmemGenericAllocationHandle, uint32_t> imported_;
};

// A multicast object (NVLink SHARP) was created: the driver cannot checkpoint it.
extern std::atomic<bool> multicast_seen;

}  // namespace gpusnap::preload
