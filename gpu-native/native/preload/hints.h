// Ranges of device memory that the application says it can rebuild (see gpusnap_hints.h).
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "cuda_abi.h"

namespace gpusnap::preload {

struct Hint {
    CUdeviceptr address = 0;
    size_t size = 0;
    std::string tag;
};

class Hints {
public:
    static Hints& get();

    // Takes the place of the one that begins at the same address; false when there are too many.
    bool add(const Hint& hint);
    // The one that begins at an address; false when there is none.
    bool remove(CUdeviceptr address);
    // Memory that goes, or gets another owner, takes along every hint that touches it: whoever has the address next has
    // promised nothing. Called at every free and unmapping, so it is next to nothing while there are no hints.
    void forget(CUdeviceptr address, size_t size) {
        if (count_.load(std::memory_order_acquire) > 0) {
            forget_touched(address, size);
        }
    }
    // By address.
    std::vector<Hint> all();

private:
    void forget_touched(CUdeviceptr address, size_t size);

    std::mutex mutex_;
    std::map<CUdeviceptr, Hint> hints_;
    std::atomic<size_t> count_{0};
};

}  // namespace gpusnap::preload
