// Ranges of addresses that the driver knows as one thing: a copy must not run out of one of them.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>

namespace gpusnap {

// Thread-safe.
class Areas {
public:
    void add(uint64_t address, uint64_t size_bytes);
    // By the address that it was added with; one that is not there is no error.
    void remove(uint64_t address) noexcept;
    bool empty() const;
    // Whether one area holds all of this.
    bool hold(uint64_t address, uint64_t size_bytes) const;
    // How many bytes from here on lie in the same area, or outside of any: at most size_bytes.
    uint64_t run(uint64_t address, uint64_t size_bytes) const;

private:
    mutable std::mutex mutex_;
    std::map<uint64_t, uint64_t> ends_;  // by first address
};

// Page-locked regions of the pools.
Areas& pinned_areas();
// Device memory of workloads, while it is mapped in this process.
Areas& imported_areas();

}  // namespace gpusnap
