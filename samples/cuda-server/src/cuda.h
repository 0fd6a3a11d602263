// The CUDA driver, loaded at run time: nothing of CUDA is needed to build the server.
#pragma once

#include <cuda_abi.h>

#include <stdexcept>
#include <string>
#include <vector>

struct CudaError : std::runtime_error {
  CudaError(const char* call, CUresult result, const char* name)
      : std::runtime_error(std::string(call) + ": " + (name != nullptr ? name : "?") + " (" + std::to_string(result) + ")"),
        code(result) {}
  CUresult code;
};

class Cuda {
 public:
  // Initialises the driver and makes a device's primary context current. Throws std::runtime_error.
  explicit Cuda(const std::string& library, int ordinal = 0);

  // For every thread but the one that made this.
  void enter() const;
  CUdevice device() const { return device_; }
  std::string device_name() const;

#define CUDA_SERVER_FUNCTIONS(F)                                                                             \
  F(cuInit) F(cuGetErrorName) F(cuDeviceGet) F(cuDeviceGetName) F(cuDevicePrimaryCtxRetain)                  \
  F(cuCtxSetCurrent) F(cuMemAlloc_v2) F(cuMemAllocPitch_v2) F(cuMemAllocAsync) F(cuMemHostAlloc)             \
  F(cuMemFree_v2) F(cuMemFreeHost) F(cuMemAddressReserve) F(cuMemCreate) F(cuMemMap) F(cuMemSetAccess)       \
  F(cuMemRelease) F(cuMemGetAllocationGranularity) F(cuMemcpyHtoDAsync_v2) F(cuMemcpyDtoH_v2)                \
  F(cuMemcpy2D_v2) F(cuMemsetD8_v2) F(cuStreamCreate) F(cuStreamSynchronize) F(cuModuleLoadData)             \
  F(cuModuleGetFunction) F(cuLaunchKernel) F(cuCtxSynchronize)
#define MEMBER(name) decltype(&::name) name;
  CUDA_SERVER_FUNCTIONS(MEMBER)
#undef MEMBER

  // Throws CudaError.
  void check(const char* call, CUresult result) const;

 private:
  CUdevice device_ = 0;
  CUcontext context_ = nullptr;
};

// CUDA(cuda, cuMemFree_v2(address)): calls and throws with the call's name.
#define CUDA(cuda, call) (cuda).check(#call, (cuda).call)
