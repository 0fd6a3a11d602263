// One piece of device memory, held by handles and mappings of this process.
#pragma once

#include <cuda_abi.h>

#include <cstdint>
#include <memory>
#include <string>

namespace gpusnap::simulated {

class Physical {
 public:
  enum class Kind { kMemory, kMulticast };

  // Throws CUDA_ERROR_OUT_OF_MEMORY.
  static std::shared_ptr<Physical> create(CUdevice device, uint64_t size_bytes, const CUmemAllocationProp& prop);
  // `descriptor` stays the caller's. Throws CUDA_ERROR_UNKNOWN for one that is not ours.
  static std::shared_ptr<Physical> import(int descriptor);
  static std::shared_ptr<Physical> multicast(uint64_t size_bytes);
  ~Physical();
  Physical(const Physical&) = delete;
  Physical& operator=(const Physical&) = delete;

  Kind kind() const { return kind_; }
  CUdevice device() const { return device_; }
  uint64_t size_bytes() const { return size_bytes_; }
  const CUmemAllocationProp& prop() const { return prop_; }
  bool imported() const { return imported_; }
  bool managed() const { return prop_.type == CU_MEM_ALLOCATION_TYPE_MANAGED; }

  // A new descriptor of the same open file description.
  int export_descriptor();
  // Maps at a fixed address; `protection` as for mmap. A child of fork() does not inherit the mapping.
  void map(void* address, uint64_t size, uint64_t offset, int protection) const;
  // A mapping keeps the memory by itself: memory that is never exported or mapped again needs no descriptor.
  // After this one, settle() closes the descriptor that revive() opened.
  void close_descriptor();
  void settle();

  // Copies the content to private host memory, all-zero pages excepted. The device memory stays until drop().
  void save();
  void discard_saved();
  // Gives the device memory back. Mappings of this process must be gone already.
  void drop();
  // New device memory with the saved content, on what the ordinal means now. Throws CUDA_ERROR_OUT_OF_MEMORY.
  void revive();

  // For a child of fork(): closes the descriptor, nothing else.
  void forget_descriptor();
  // At exit of the process: removes the file of memory that nobody else can hold.
  void unlink_if_private() const;

 private:
  Physical(CUdevice device, uint64_t size_bytes, const CUmemAllocationProp& prop)
      : device_(device), size_bytes_(size_bytes), prop_(prop) {}

  const CUdevice device_;
  const uint64_t size_bytes_;
  const CUmemAllocationProp prop_;
  Kind kind_ = Kind::kMemory;
  std::string path_;
  int descriptor_ = -1;
  bool transient_descriptor_ = false;
  bool imported_ = false;
  bool exported_ = false;
  void* saved_ = nullptr;
};

}  // namespace gpusnap::simulated
