// Failure injection by environment, entry point lookup, visible devices. Each in a process of its own.
#include "harness.h"

#include <dlfcn.h>

#include <cstdint>
#include <cstring>

using namespace harness;

namespace {

void injected() {
  start_cuda();
  CUdeviceptr address;
  OK(cuMemAlloc_v2(&address, kMiB));
  CHECK_RESULT(CUDA_ERROR_OUT_OF_MEMORY, cuMemAlloc_v2(&address, kMiB));  // cuMemAlloc@2=2
  OK(cuMemAlloc_v2(&address, kMiB));
  CUstream stream;
  CHECK_RESULT(CUDA_ERROR_UNKNOWN, cuStreamCreate(&stream, 0));  // cuStreamCreate
  CHECK_RESULT(CUDA_ERROR_UNKNOWN, cuStreamCreate(&stream, 0));
}

void* lookup(const char* symbol, int version, uint64_t flags, CUdriverProcAddressQueryResult expected) {
  void* function = nullptr;
  CUdriverProcAddressQueryResult result;
  OK(cuGetProcAddress_v2(symbol, &function, version, flags, &result));
  CHECK(result == expected);
  return function;
}

void looked_up() {
  CHECK(lookup("cuMemAlloc", 13000, 0, CU_GET_PROC_ADDRESS_SUCCESS) == reinterpret_cast<void*>(&cuMemAlloc_v2));
  CHECK(lookup("cuCtxSynchronize", 12000, 0, CU_GET_PROC_ADDRESS_SUCCESS) == reinterpret_cast<void*>(&cuCtxSynchronize));
  CHECK(lookup("cuCtxSynchronize", 13000, 0, CU_GET_PROC_ADDRESS_SUCCESS) == reinterpret_cast<void*>(&cuCtxSynchronize_v2));
  CHECK(lookup("cuLaunchKernel", 12000, CU_GET_PROC_ADDRESS_PER_THREAD_DEFAULT_STREAM, CU_GET_PROC_ADDRESS_SUCCESS) ==
        reinterpret_cast<void*>(&cuLaunchKernel_ptsz));
  lookup("cuCheckpointProcessLock", 12000, 0, CU_GET_PROC_ADDRESS_VERSION_NOT_SUFFICIENT);
  lookup("cuNoSuchThing", 13000, 0, CU_GET_PROC_ADDRESS_SYMBOL_NOT_FOUND);
  void* function = nullptr;
  CHECK_RESULT(CUDA_ERROR_NOT_FOUND, cuGetProcAddress("cuNoSuchThing", &function, 12000, 0));
  CHECK(dlsym(RTLD_DEFAULT, "gpusnap_simulated_driver") != nullptr);
#define EXPORTED(symbol, since, exported, parameters) CHECK(dlsym(RTLD_DEFAULT, #exported) != nullptr);
  GPUSNAP_CUDA_FUNCTIONS(EXPORTED)
  GPUSNAP_CUDA_SUPERSEDED(EXPORTED)
#undef EXPORTED
#define EXPORTED(symbol, since, exported, suffix) CHECK(dlsym(RTLD_DEFAULT, #exported #suffix) != nullptr);
  GPUSNAP_CUDA_PER_THREAD(EXPORTED)
}

void old_driver() {
  OK(cuInit(0));
  int version = 0;
  OK(cuDriverGetVersion(&version));
  CHECK(version == 12040);
  CUprocessState state;
  CHECK_RESULT(CUDA_ERROR_NOT_SUPPORTED, cuCheckpointProcessGetState(getpid(), &state));
  lookup("cuCheckpointProcessLock", 13000, 0, CU_GET_PROC_ADDRESS_SYMBOL_NOT_FOUND);
}

void second_gpu_only() {
  OK(cuInit(0));
  int count = 0;
  OK(cuDeviceGetCount(&count));
  CHECK(count == 1);
  char bus[32];
  OK(cuDeviceGetPCIBusId(bus, sizeof bus, 0));
  CHECK(std::strcmp(bus, "0000:02:00.0") == 0);
  CUdevice device;
  CHECK_RESULT(CUDA_ERROR_INVALID_DEVICE, cuDeviceGet(&device, 1));
}

void bad_setting() { CHECK_RESULT(CUDA_ERROR_INVALID_VALUE, cuInit(0)); }

void run(const char* role, const std::vector<std::pair<std::string, std::string>>& environment) {
  Worker worker(role, environment);
  const int status = worker.end(0);
  if (status != 0) {
    std::fprintf(stderr, "role %s failed\n", role);
    std::exit(1);
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count > 1) {
    const std::map<std::string, void (*)()> roles = {{"injected", injected},
                                                     {"looked-up", looked_up},
                                                     {"old-driver", old_driver},
                                                     {"second-gpu-only", second_gpu_only},
                                                     {"bad-setting", bad_setting}};
    roles.at(arguments[1])();
    return 0;
  }
  const StateDir state;
  run("injected", {{"GPUSNAP_SIM_FAIL", "cuMemAlloc@2=2,cuStreamCreate"}});
  run("looked-up", {});
  run("old-driver", {{"GPUSNAP_SIM_DRIVER_VERSION", "12040"}});
  run("second-gpu-only", {{"GPUSNAP_SIM_GPUS", "2"}, {"CUDA_VISIBLE_DEVICES", "1"}});
  run("bad-setting", {{"GPUSNAP_SIM_VRAM_BYTES", "much"}});
  return 0;
}
