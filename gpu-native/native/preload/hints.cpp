#include "preload/hints.h"

#include "gpusnap_hints.h"

namespace gpusnap::preload {

Hints& Hints::get() {
    static Hints* only = new Hints();  // threads may outlive static destruction
    return *only;
}

bool Hints::add(const Hint& hint) {
    std::lock_guard lock(mutex_);
    if (hints_.size() >= GPUSNAP_HINT_MAX_RANGES && !hints_.contains(hint.address)) {
        return false;
    }
    hints_[hint.address] = hint;
    count_.store(hints_.size(), std::memory_order_release);
    return true;
}

bool Hints::remove(CUdeviceptr address) {
    std::lock_guard lock(mutex_);
    bool removed = hints_.erase(address) > 0;
    count_.store(hints_.size(), std::memory_order_release);
    return removed;
}

void Hints::forget_touched(CUdeviceptr address, size_t size) {
    std::lock_guard lock(mutex_);
    for (auto at = hints_.begin(); at != hints_.end() && (at->first < address || at->first - address < size);) {
        bool before = at->first < address && address - at->first >= at->second.size;
        at = before ? std::next(at) : hints_.erase(at);
    }
    count_.store(hints_.size(), std::memory_order_release);
}

std::vector<Hint> Hints::all() {
    std::lock_guard lock(mutex_);
    std::vector<Hint> found;
    for (const auto& [address, hint] : hints_) {
        found.push_back(hint);
    }
    return found;
}

}  // namespace gpusnap::preload
