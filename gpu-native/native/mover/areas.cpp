#include "mover/areas.h"

#include <algorithm>

namespace gpusnap {

void Areas::add(uint64_t address, uint64_t size_bytes) {
    std::lock_guard lock(mutex_);
    ends_[address] = address + size_bytes;
}

void Areas::remove(uint64_t address) noexcept {
    std::lock_guard lock(mutex_);
    ends_.erase(address);
}

bool Areas::empty() const {
    std::lock_guard lock(mutex_);
    return ends_.empty();
}

bool Areas::hold(uint64_t address, uint64_t size_bytes) const {
    std::lock_guard lock(mutex_);
    auto after = ends_.upper_bound(address);
    if (after == ends_.begin()) {
        return false;
    }
    uint64_t end = std::prev(after)->second;
    return end >= address && size_bytes <= end - address;
}

uint64_t Areas::run(uint64_t address, uint64_t size_bytes) const {
    std::lock_guard lock(mutex_);
    auto after = ends_.upper_bound(address);
    uint64_t border = after == ends_.end() ? UINT64_MAX : after->first;
    if (after != ends_.begin() && std::prev(after)->second > address) {
        border = std::prev(after)->second;
    }
    return std::min(size_bytes, border - address);
}

Areas& pinned_areas() {
    static Areas* only = new Areas();  // outlives every thread of the process
    return *only;
}

Areas& imported_areas() {
    static Areas* only = new Areas();
    return *only;
}

}  // namespace gpusnap
