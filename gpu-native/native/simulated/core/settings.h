// What the environment says about the simulated machine. README.md lists the variables.
#pragma once

#include <cstdint>
#include <string>

namespace gpusnap::simulated {

struct Settings {
  int gpus;
  uint64_t vram_bytes;
  std::string name;
  int driver_version;
  uint64_t uuid_seed;
  std::string state_dir;
  std::string device_nodes;       // the folder that stands for /dev; empty: the process has the nodes of all GPUs
  std::string failures;
  bool asynchronous;
  bool poison;
  uint64_t bandwidth_bytes;  // a second; 0: as fast as memory is
  bool nvidia_fs;                 // the kernel side of GPUDirect Storage is there
  uint64_t storage_read_bytes;    // most of one cuFileRead; 0: all of it
  std::string visible_devices;
  bool visible_devices_set;

  bool mig() const { return name.find(" MIG ") != std::string::npos; }
};

// Read once, at first use. A bad value is reported on stderr and makes every call fail with CUDA_ERROR_INVALID_VALUE.
const Settings& settings();

}  // namespace gpusnap::simulated
