// Kernels of the tests: one with parameter sizes, one without.
#include <gpusnap_sim_kernel.h>

#include <chrono>
#include <cstdint>
#include <thread>

int counter = 0;  // a global, for cuModuleGetGlobal

static void add(const gpusnap_sim_launch& launch, uint32_t* data, uint32_t count, uint32_t value) {
  for (uint32_t i = 0; i < count; ++i) data[i] += value * launch.grid[0];
}
GPUSNAP_SIM_KERNEL(add_kernel, add)

// Waits until the host writes to `flag`, so that a test can hold a stream busy.
static void hold(const gpusnap_sim_launch&, volatile uint32_t* flag) {
  while (*flag == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}
GPUSNAP_SIM_KERNEL(hold_kernel, hold)

extern "C" __attribute__((visibility("default"))) void plain_kernel(const gpusnap_sim_launch*, void** parameters) {
  **static_cast<uint32_t**>(parameters[0]) = 42;
}
