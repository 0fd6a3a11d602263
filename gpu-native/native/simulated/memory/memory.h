// All memory of this process as the driver knows it: the address space, what cuMemAlloc and its kin made in it, and
// page-locked host memory. Thread-safe.
#pragma once

#include <cuda_abi.h>

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>

#include "memory/address_space.h"
#include "memory/slab.h"

namespace gpusnap::simulated {

struct Context;
struct Pool;

struct Allocation {
  enum class Kind { kPlain, kManaged, kPool };
  uint64_t address;
  uint64_t size;  // as asked for
  CUdevice device;
  Kind kind;
  Context* context;
  Pool* pool;  // of kPool
};

struct HostRange {
  uint64_t size;
  unsigned flags;
  bool registered;  // the application's own memory
  Context* context;
};

class Memory {
 public:
  // The address space, under the lock.
  class Locked {
   public:
    explicit Locked(Memory& memory) : lock_(memory.mutex_), space_(memory.space_) {}
    AddressSpace* operator->() { return &space_; }
    AddressSpace& operator*() { return space_; }

   private:
    const std::lock_guard<std::mutex> lock_;
    AddressSpace& space_;
  };
  Locked space() { return Locked(*this); }

  uint64_t allocate(uint64_t size, CUdevice device, Allocation::Kind kind, Context* context, Pool* pool);
  // `address` must be the start of an allocation.
  void free(uint64_t address);
  std::optional<Allocation> allocation_at(uint64_t address) const;  // that holds the address
  // Everything that a context owned, and what a pool owned.
  void free_of(const Context* context);
  void free_of(const Pool* pool);

  void* allocate_host(uint64_t size, unsigned flags, Context* context);
  void free_host(void* address);
  void register_host(void* address, uint64_t size, unsigned flags, Context* context);
  void unregister_host(void* address);
  std::optional<HostRange> host_range_at(uint64_t address, uint64_t* base) const;

  // Device memory or not? Throws CUDA_ERROR_INVALID_VALUE for device memory that the range leaves or the GPU cannot access.
  bool is_device(CUdevice by, uint64_t address, uint64_t size, bool write) const;

  // Bodies of the checkpoint verbs; the caller has stopped everything else.
  void save();
  void restore();

  std::mutex& mutex() { return mutex_; }
  // Without the lock: in the child of fork(), and at exit.
  AddressSpace& unlocked_space() { return space_; }

 private:
  uint64_t allocate_block(uint64_t size, CUdevice device, bool managed);
  void free_block(uint64_t address, uint64_t size);
  uint64_t allocate_small(uint64_t size, CUdevice device);
  void free_small(uint64_t address, uint64_t size, CUdevice device);
  void free_locked(std::map<uint64_t, Allocation>::iterator allocation);
  template <class Predicate>
  void free_where(Predicate predicate);

  mutable std::mutex mutex_;
  AddressSpace space_;
  std::map<uint64_t, Allocation> allocations_;
  std::map<CUdevice, std::map<uint64_t, Slab>> slabs_;
  std::map<uint64_t, HostRange> host_;
};

Memory& memory();

}  // namespace gpusnap::simulated
