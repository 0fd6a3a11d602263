// Module images: ELF shared objects of the host (gpusnap_sim_kernel.h), loaded from memory so that, as with a real
// driver, the file they came from is not needed any more. Or PTX, when this driver has all of its kernels (builtin.h).
#pragma once

#include <cuda_abi.h>
#include <gpusnap_sim_kernel.h>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/registry.h"
#include "work/queue.h"

namespace gpusnap::simulated {

struct Module;

// A function of a module; the handle stands for CUfunction and CUkernel alike.
struct Function {
  std::string name;
  gpusnap_sim_kernel entry;
  const uint32_t* parameter_sizes;  // null: unknown
  std::weak_ptr<Module> module;
};

struct Module : std::enable_shared_from_this<Module> {
  ~Module();
  // Throws CUDA_ERROR_NOT_FOUND.
  std::shared_ptr<Function> function(const std::string& name);
  CUdeviceptr global(const char* name, size_t* size_bytes) const;

  void* library = nullptr;
  int name = -1;                     // number of the descriptor that it was loaded through
  std::vector<std::string> builtins;  // the kernels of a PTX image, which has no library

 private:
  Function find(const std::string& name);
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Function>> functions_;
};

Registry<Module>& modules();
Registry<Function>& functions();

// Code for a real GPU gives CUDA_ERROR_NO_BINARY_FOR_GPU, anything else that is not ours CUDA_ERROR_INVALID_IMAGE.
std::shared_ptr<Module> load_image(const void* image);
std::shared_ptr<Module> load_file(const char* path);

struct Launch {
  Work work;
  bool owns_parameters;  // false: must run before the caller's parameters go away
};
Launch prepare_launch(const std::shared_ptr<Function>& function, const unsigned grid[3], const unsigned block[3],
                      unsigned shared_bytes, void** parameters, void** extra);

}  // namespace gpusnap::simulated
