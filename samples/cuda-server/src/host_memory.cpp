#include "host_memory.h"

#include <sys/mman.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>

namespace {

constexpr uint64_t kPageWords = 4096 / 8;
constexpr uint64_t kPieceWords = (8ull << 20) / 8;

uint64_t mixed(uint64_t value) {
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ull;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebull;
  return value ^ (value >> 31);
}

}  // namespace

HostMemory::HostMemory(uint64_t mib, uint64_t seed) : size_bytes_(mib << 20) {
  if (size_bytes_ == 0) return;
  void* const area = mmap(nullptr, size_bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (area == MAP_FAILED) throw std::runtime_error("--host-mib: " + std::string(std::strerror(errno)));
  words_ = static_cast<uint64_t*>(area);
  for (uint64_t word = 0; word < size_bytes_ / 8; ++word) {
    const uint64_t kind = word / kPieceWords % 5;
    const uint64_t page = word / kPageWords;
    if (kind == 4 || (kind == 3 && page % 16 >= 10)) continue;
    const bool random = kind == 0 || kind == 3 || (kind == 1 && page % 2 == 0);
    words_[word] = random ? mixed(seed + word) : 0;
  }
}

HostMemory::~HostMemory() {
  if (words_ != nullptr) munmap(words_, size_bytes_);
}

uint64_t HostMemory::sum() const {
  uint64_t sum = 0;
  for (uint64_t word = 0; word < size_bytes_ / 8; ++word) {
    sum = (sum ^ (words_[word] + word)) * 0x9e3779b97f4a7c15ull;
    sum ^= sum >> 29;
  }
  return sum;
}
