// The caller's side of cuCheckpointProcess*.
#pragma once

#include <cuda_abi.h>

#include <vector>

#include "checkpoint/wire.h"

namespace gpusnap::simulated {

// The thread in which the driver restores a process, whether that runs or is stopped. Throws CUDA_ERROR_NOT_INITIALIZED where the
// process has no (simulated) CUDA.
int restore_thread(int pid);

// Throws the target's error; CUDA_ERROR_OPERATING_SYSTEM without such a process, CUDA_ERROR_NOT_INITIALIZED where the
// process has no (simulated) CUDA, CUDA_ERROR_UNKNOWN where it dies meanwhile.
int ask(int pid, Verb verb, uint32_t timeout_ms = 0, const std::vector<CUcheckpointGpuPair>& pairs = {});

}  // namespace gpusnap::simulated
