// Device memory that another process can reach. A freeze would give that process stale memory, so it is refused.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>

#include "cuda_abi.h"

namespace gpusnap::preload {

class Sharing {
public:
    static Sharing& get();
    // Something was shared that we cannot see the end of.
    void note_for_good(const char* what);
    // Opened IPC mappings end when they are closed.
    void opened(CUdeviceptr address);
    void closed(CUdeviceptr address);

    // Memory of the driver's own handles: what is imported, host memory, multicast objects. It lives as long as a handle or a
    // mapping of it does.
    void created(CUmemGenericAllocationHandle handle);
    void imported(CUmemGenericAllocationHandle handle);
    void created_multicast(CUmemGenericAllocationHandle handle);
    void exported(CUmemGenericAllocationHandle handle);
    void retained(CUmemGenericAllocationHandle handle, CUdeviceptr address);
    void released(CUmemGenericAllocationHandle handle);
    void mapped(CUdeviceptr address, size_t size, CUmemGenericAllocationHandle handle);
    void unmapped(CUdeviceptr address, size_t size);

    bool any();
    // Of what is shared, something never ends.
    bool for_good();
    // A multicast object (NVLink SHARP) is there: the driver cannot checkpoint it.
    bool multicast();

private:
    struct Memory {
        bool shared = false;
        bool multicast = false;
    };
    struct Handle {
        std::shared_ptr<Memory> memory;
        uint32_t references = 0;
    };
    struct Mapping {
        size_t size = 0;
        std::shared_ptr<Memory> memory;
    };

    void add(CUmemGenericAllocationHandle handle, Memory memory);
    template <typename Property>
    bool any_memory(Property&& property) const;

    std::mutex mutex_;
    bool for_good_ = false;
    std::map<CUdeviceptr, uint32_t> opened_;
    std::map<CUmemGenericAllocationHandle, Handle> handles_;
    std::map<CUdeviceptr, Mapping> mappings_;
};

}  // namespace gpusnap::preload
