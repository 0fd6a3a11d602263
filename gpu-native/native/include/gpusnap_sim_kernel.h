/*
 * Kernels for the simulated CUDA driver: a module image is an ELF shared object of the host, a kernel is a
 * function in it. It is called once a launch, on the stream's thread, and does the work of the whole grid.
 *
 *   extern "C" void scale(const gpusnap_sim_launch* launch, void** parameters);
 *   GPUSNAP_SIM_PARAMETER_SIZES(scale, sizeof(uint64_t), sizeof(float))
 *
 * `parameters` is what cuLaunchKernel got: one pointer to each argument. The sizes let the driver keep a copy of
 * the arguments, as a real one does; a kernel without them runs before cuLaunchKernel returns and cannot be captured.
 *
 * In C++, GPUSNAP_SIM_KERNEL(scale, scale_body) makes both from an ordinary function
 *   static void scale_body(const gpusnap_sim_launch& launch, float* data, float factor).
 */
#ifndef GPUSNAP_SIM_KERNEL_H
#define GPUSNAP_SIM_KERNEL_H

#include <stdint.h>

typedef struct gpusnap_sim_launch {
  uint32_t struct_size;
  uint32_t grid[3];
  uint32_t block[3];
  uint32_t shared_bytes;
  void* shared; /* shared_bytes of scratch memory, or null */
} gpusnap_sim_launch;

typedef void (*gpusnap_sim_kernel)(const gpusnap_sim_launch* launch, void** parameters);

#define GPUSNAP_SIM_PARAMETER_SIZES_SUFFIX "_parameter_sizes"

#ifdef __cplusplus
#define GPUSNAP_SIM_C extern "C"
#else
#define GPUSNAP_SIM_C extern
#endif

/* Sizes in bytes, ended by 0. */
#define GPUSNAP_SIM_PARAMETER_SIZES(kernel, ...)                                                              \
  GPUSNAP_SIM_C __attribute__((visibility("default"))) const uint32_t kernel##_parameter_sizes[];             \
  GPUSNAP_SIM_C __attribute__((visibility("default"))) const uint32_t kernel##_parameter_sizes[] = {__VA_ARGS__, 0};

#ifdef __cplusplus
#include <stddef.h>

#include <utility>

namespace gpusnap_sim {

template <class Body>
struct Signature;
template <class... Parameters>
struct Signature<void (*)(const gpusnap_sim_launch&, Parameters...)> {
  struct Sizes {
    uint32_t bytes[sizeof...(Parameters) + 1];
  };
  static constexpr Sizes sizes = {{static_cast<uint32_t>(sizeof(Parameters))..., 0}};

  template <class Body>
  static void call(Body body, const gpusnap_sim_launch& launch, void** parameters) {
    call(body, launch, parameters, std::index_sequence_for<Parameters...>());
  }

 private:
  template <class Body, size_t... Index>
  static void call(Body body, const gpusnap_sim_launch& launch, [[maybe_unused]] void** parameters,
                   std::index_sequence<Index...>) {
    body(launch, *static_cast<Parameters*>(parameters[Index])...);
  }
};

}  // namespace gpusnap_sim

#define GPUSNAP_SIM_KERNEL(kernel, body)                                                                      \
  extern "C" __attribute__((visibility("default"))) const gpusnap_sim::Signature<decltype(&body)>::Sizes     \
      kernel##_parameter_sizes;                                                                               \
  const gpusnap_sim::Signature<decltype(&body)>::Sizes kernel##_parameter_sizes =                             \
      gpusnap_sim::Signature<decltype(&body)>::sizes;                                                         \
  extern "C" __attribute__((visibility("default"))) void kernel(const gpusnap_sim_launch* launch,             \
                                                               void** parameters) {                          \
    gpusnap_sim::Signature<decltype(&body)>::call(&body, *launch, parameters);                                \
  }
#endif

#endif
