// Makes a copy take as long as GPUSNAP_SIM_BANDWIDTH_BYTES says: sleeps at the end of its scope for what is left.
#pragma once

#include <chrono>
#include <cstdint>
#include <thread>

#include "core/settings.h"

namespace gpusnap::simulated {

class Throttle {
 public:
  explicit Throttle(uint64_t size_bytes) : size_bytes_(size_bytes), start_(std::chrono::steady_clock::now()) {}
  ~Throttle() {
    const uint64_t rate = settings().bandwidth_bytes;
    if (rate == 0) return;
    std::this_thread::sleep_until(start_ + std::chrono::nanoseconds(static_cast<int64_t>(1e9 * size_bytes_ / rate)));
  }
  Throttle(const Throttle&) = delete;
  Throttle& operator=(const Throttle&) = delete;

 private:
  const uint64_t size_bytes_;
  const std::chrono::steady_clock::time_point start_;
};

}  // namespace gpusnap::simulated
