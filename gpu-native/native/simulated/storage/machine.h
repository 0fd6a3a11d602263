// Exports of the simulated driver for the stand-in of cuFile.
#pragma once

#include <cuda_abi.h>

#include <cstdint>

extern "C" {

// 1: the kernel side of GPUDirect Storage is there. libgpusnap asks, too.
int gpusnap_simulated_nvidia_fs(void);
// Most that one read shall read; 0: everything.
uint64_t gpusnap_simulated_storage_read_bytes(void);
// Counts a call of this name and gives the failure that was ordered for it; waits while the process is locked.
CUresult gpusnap_simulated_call(const char* function);
}
