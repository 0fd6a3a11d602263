// One kernel source for two compilers. Under nvcc a kernel is a CUDA kernel and EACH is a grid-stride loop; under the
// host compiler it is a function for the simulated driver and EACH is a plain loop, because that driver calls a kernel
// once for the whole grid.
#pragma once

#if defined(__CUDACC__)

#define KERNEL(name, ...) extern "C" __global__ void name(__VA_ARGS__)
#define EACH(i, count)                                                                              \
  for (unsigned long long i = blockIdx.x * static_cast<unsigned long long>(blockDim.x) + threadIdx.x; \
       i < (count); i += gridDim.x * static_cast<unsigned long long>(blockDim.x))
#define ADD(address, value) atomicAdd(address, value)
#define DEVICE __device__ static inline

#else

#include <gpusnap_sim_kernel.h>

#define KERNEL(name, ...)                                               \
  static void name##_body(const gpusnap_sim_launch&, __VA_ARGS__);      \
  GPUSNAP_SIM_KERNEL(name, name##_body)                                 \
  static void name##_body(const gpusnap_sim_launch&, __VA_ARGS__)
#define EACH(i, count) for (unsigned long long i = 0; i < (count); ++i)
#define ADD(address, value) (*(address) += (value))
#define DEVICE static inline

#endif
