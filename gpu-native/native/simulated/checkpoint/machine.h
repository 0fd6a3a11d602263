// The checkpoint state machine of this process.
//
//   RUNNING --lock--> LOCKED --checkpoint--> CHECKPOINTED --restore--> LOCKED --unlock--> RUNNING
//                                                 |
//                                                 +-- restore without enough memory --> FAILED, for good
#pragma once

#include <cuda_abi.h>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <vector>

namespace gpusnap::simulated {

class CheckpointMachine {
 public:
  CUprocessState state() const { return state_; }

  // Each throws CUDA_ERROR_ILLEGAL_STATE in any other state than its own.
  // Closes the gate and waits for the device; CUDA_ERROR_NOT_READY after the timeout (0: none), still running.
  void lock(uint32_t timeout_ms);
  // Device memory into host memory, then no descriptor of ours is left but the service's socket.
  // CUDA_ERROR_NOT_SUPPORTED for MIG, managed, imported and multicast memory.
  void checkpoint();
  void restore(const std::vector<CUcheckpointGpuPair>& pairs);
  void unlock();

 private:
  void apply(const std::vector<CUcheckpointGpuPair>& pairs);

  std::mutex mutex_;
  std::atomic<CUprocessState> state_{CU_PROCESS_STATE_RUNNING};
};

CheckpointMachine& checkpoint_machine();

}  // namespace gpusnap::simulated
