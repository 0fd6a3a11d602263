// The simulated GPUs, and which of them this process sees under which ordinal.
#pragma once

#include <cuda_abi.h>

#include <cstdint>
#include <string>
#include <vector>

namespace gpusnap::simulated {

struct Gpu {
  int index;
  CUuuid uuid;
  std::string uuid_text;  // "GPU-xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"
  uint64_t vram_bytes;
};

class Devices {
 public:
  Devices();
  int count() const { return static_cast<int>(visible_.size()); }
  // Throws CUDA_ERROR_INVALID_DEVICE.
  const Gpu& gpu(CUdevice ordinal) const;
  const std::vector<Gpu>& machine() const { return machine_; }
  int attribute(CUdevice ordinal, CUdevice_attribute attribute) const;
  // -1 where the process does not see it.
  int ordinal_of(const std::string& uuid_text) const;
  int index_of(const CUuuid& uuid) const;  // in machine(), or -1
  void remap(CUdevice ordinal, int machine_index) { visible_[ordinal] = machine_index; }

 private:
  std::vector<Gpu> machine_;
  std::vector<int> visible_;  // ordinal -> index in machine_; a restore may change it
};

Devices& devices();

}  // namespace gpusnap::simulated
