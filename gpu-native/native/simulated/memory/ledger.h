// VRAM as all processes of the machine share it.
//
// A physical allocation is a sparse file below the state directory, vram-<GPU uuid>/<pid>-<number>. Its creator takes a
// shared flock on the one open file description that every later holder uses as well: mappings keep it, exported
// descriptors are duplicates of it, and importers map what they received. The kernel drops that lock exactly when the
// last descriptor and the last mapping anywhere are gone, however their processes ended. So an allocation is alive
// while an exclusive lock on its file cannot be had, and the sum over the live files is the memory in use: counted
// once, whoever holds it, with nothing to repair after a SIGKILL. Whoever finds a dead file removes it.
#pragma once

#include <cstdint>
#include <string>

#include "core/device.h"

namespace gpusnap::simulated {

struct VramFile {
  int descriptor;  // owned by the caller, close-on-exec, shared lock held
  std::string path;
};

class Ledger {
 public:
  // Throws CUDA_ERROR_OUT_OF_MEMORY when the GPU, or the file system below the state directory, has too little room.
  VramFile create(const Gpu& gpu, uint64_t size_bytes);
  uint64_t used_bytes(const Gpu& gpu);
  // Removes the file at once if nobody holds the allocation any more.
  void reclaim(const std::string& path);

  // Makes the state directory. Throws CUDA_ERROR_OPERATING_SYSTEM.
  static void prepare();
  // The GPU's uuid in a path that create() made, or empty.
  static std::string uuid_of(const std::string& path);
};

Ledger& ledger();

}  // namespace gpusnap::simulated
