// The device addresses of this process: reserved ranges, what is mapped in them, and the handles of physical memory.
// A device address is a host address too, so that kernels are plain functions. Not thread-safe: Memory holds the lock.
#pragma once

#include <cuda_abi.h>

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "memory/physical.h"

namespace gpusnap::simulated {

constexpr uint64_t kGranularity = 2 << 20;

inline uint64_t round_up(uint64_t value, uint64_t multiple) { return (value + multiple - 1) / multiple * multiple; }

constexpr CUdevice kEveryDevice = -1;

// Which GPUs may reach a mapping, and how.
class Access {
 public:
  // `kEveryDevice`: those that have no entry of their own.
  void set(CUdevice device, CUmemAccess_flags flags) { flags_[device] = flags; }
  CUmemAccess_flags of(CUdevice device) const;
  // Of all GPUs together: the host has one protection for a page.
  CUmemAccess_flags widest() const;

 private:
  std::map<CUdevice, CUmemAccess_flags> flags_;
};

struct Mapping {
  uint64_t size;
  std::shared_ptr<Physical> physical;
  uint64_t offset;
  Access access;
};

class AddressSpace {
 public:
  // `hint` 0: anywhere. Throws CUDA_ERROR_OUT_OF_MEMORY.
  uint64_t reserve(uint64_t size, uint64_t alignment, uint64_t hint);
  void unreserve(uint64_t address, uint64_t size);

  void map(uint64_t address, uint64_t size, uint64_t offset, const std::shared_ptr<Physical>& physical);
  // Exactly one mapping or several adjoining ones.
  void unmap(uint64_t address, uint64_t size);
  void set_access(uint64_t address, uint64_t size, CUdevice device, CUmemAccess_flags access);

  // The mapping that holds the address: its base and itself, or null.
  const Mapping* find(uint64_t address, uint64_t* base = nullptr) const;
  bool reserved(uint64_t address, uint64_t* base, uint64_t* size) const;
  // Every byte mapped and readable (writable) by the device.
  bool accessible(CUdevice by, uint64_t address, uint64_t size, bool write) const;

  CUmemGenericAllocationHandle add_handle(std::shared_ptr<Physical> physical);
  const std::shared_ptr<Physical>& handle(CUmemGenericAllocationHandle handle) const;
  void release_handle(CUmemGenericAllocationHandle handle);

  // Everything that this process holds, each once.
  std::set<std::shared_ptr<Physical>> physicals() const;
  // Replaces what is mapped by bare reservations, and maps it again.
  void detach_all();
  void attach_all();

 private:
  using Mappings = std::map<uint64_t, Mapping>;
  std::vector<Mappings::iterator> exactly(uint64_t address, uint64_t size);

  struct Handle {
    std::shared_ptr<Physical> physical;
    unsigned references;
  };
  std::map<uint64_t, uint64_t> reservations_;
  Mappings mappings_;
  std::map<CUmemGenericAllocationHandle, Handle> handles_;
  CUmemGenericAllocationHandle last_handle_ = 0;
};

}  // namespace gpusnap::simulated
