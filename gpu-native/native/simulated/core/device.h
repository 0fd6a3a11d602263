// The simulated GPUs, which of them this process can open, and which it sees under which ordinal.
#pragma once

#include <cuda_abi.h>

#include <cstdint>
#include <map>
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
  // Indices in machine() of those whose nodes the process had when its driver started, or was moved to since.
  const std::vector<int>& opened() const { return opened_; }
  // Whether it has the node of this one now.
  static bool has_node(int machine_index);
  int attribute(CUdevice ordinal, CUdevice_attribute attribute) const;
  // -1 where the process does not see it.
  int ordinal_of(const std::string& uuid_text) const;
  int index_of(const CUuuid& uuid) const;  // in machine(), or -1
  // From index to index in machine(), of all that were opened.
  void move(const std::map<int, int>& targets);

 private:
  std::vector<Gpu> machine_;
  std::vector<int> opened_;
  std::vector<int> visible_;  // ordinal -> index in machine_; a restore may change both
};

Devices& devices();

}  // namespace gpusnap::simulated
