#include "cuda.h"

#include <dlfcn.h>

Cuda::Cuda(const std::string& library, int ordinal) {
  void* const handle = dlopen(library.c_str(), RTLD_NOW | RTLD_GLOBAL);
  if (handle == nullptr) throw std::runtime_error(std::string("no CUDA driver: ") + dlerror());
#define LOAD(name)                                                                  \
  this->name = reinterpret_cast<decltype(this->name)>(dlsym(handle, #name));        \
  if (this->name == nullptr) throw std::runtime_error("the CUDA driver lacks " #name);
  CUDA_SERVER_FUNCTIONS(LOAD)
#undef LOAD
  check("cuInit", cuInit(0));
  check("cuDeviceGet", cuDeviceGet(&device_, ordinal));
  check("cuDevicePrimaryCtxRetain", cuDevicePrimaryCtxRetain(&context_, device_));
  enter();
}

void Cuda::enter() const { check("cuCtxSetCurrent", cuCtxSetCurrent(context_)); }

std::string Cuda::device_name() const {
  char name[128] = {};
  check("cuDeviceGetName", cuDeviceGetName(name, sizeof name, device_));
  return name;
}

void Cuda::check(const char* call, CUresult result) const {
  if (result == CUDA_SUCCESS) return;
  const char* name = nullptr;
  cuGetErrorName(result, &name);
  throw CudaError(call, result, name);
}
