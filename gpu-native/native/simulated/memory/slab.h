// Small allocations share 2 MiB of physical memory, as in the real driver. Keeps only the books of one such block.
#pragma once

#include <cstdint>
#include <iterator>
#include <map>

namespace gpusnap::simulated {

class Slab {
 public:
  static constexpr uint64_t kAlignment = 512;

  Slab(uint64_t address, uint64_t size) : size_(size) { free_[address] = size; }

  // 0 when there is no room.
  uint64_t take(uint64_t size) {
    for (auto entry = free_.begin(); entry != free_.end(); ++entry) {
      if (entry->second < size) continue;
      const uint64_t address = entry->first;
      const uint64_t rest = entry->second - size;
      free_.erase(entry);
      if (rest > 0) free_[address + size] = rest;
      return address;
    }
    return 0;
  }

  void give_back(uint64_t address, uint64_t size) {
    auto entry = free_.emplace(address, size).first;
    const auto next = std::next(entry);
    if (next != free_.end() && address + size == next->first) {
      entry->second += next->second;
      free_.erase(next);
    }
    if (entry == free_.begin()) return;
    const auto before = std::prev(entry);
    if (before->first + before->second != address) return;
    before->second += entry->second;
    free_.erase(entry);
  }

  bool empty() const { return free_.size() == 1 && free_.begin()->second == size_; }

 private:
  const uint64_t size_;
  std::map<uint64_t, uint64_t> free_;
};

}  // namespace gpusnap::simulated
