// Host memory that a server fills and keeps: a large private area with pages of every kind that a dump can meet.
#pragma once

#include <cstdint>

class HostMemory {
 public:
  // By turns, each 8 MiB: random bytes, every other page zero, nothing but zeros that were written, random bytes with gaps
  // that were never touched, never touched. Throws std::runtime_error.
  HostMemory(uint64_t mib, uint64_t seed);
  ~HostMemory();
  HostMemory(const HostMemory&) = delete;
  HostMemory& operator=(const HostMemory&) = delete;

  uint64_t sum() const;  // depends on every byte and its place; 0 without memory

 private:
  const uint64_t size_bytes_;
  uint64_t* words_ = nullptr;
};
