#include "checkpoint/machine.h"

#include <map>
#include <set>

#include "core/device.h"
#include "core/error.h"
#include "core/gate.h"
#include "core/settings.h"
#include "memory/memory.h"
#include "work/context.h"

namespace gpusnap::simulated {

void CheckpointMachine::lock(uint32_t timeout_ms) {
  const std::lock_guard lock(mutex_);
  require(state_ == CU_PROCESS_STATE_RUNNING, CUDA_ERROR_ILLEGAL_STATE);
  Deadline deadline;
  if (timeout_ms > 0) deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
  require(gate().close(deadline), CUDA_ERROR_NOT_READY);
  if (!drain_all(deadline)) {
    gate().open();
    fail(CUDA_ERROR_NOT_READY);
  }
  state_ = CU_PROCESS_STATE_LOCKED;
}

void CheckpointMachine::checkpoint() {
  const std::lock_guard lock(mutex_);
  require(state_ == CU_PROCESS_STATE_LOCKED, CUDA_ERROR_ILLEGAL_STATE);
  require(!settings().mig(), CUDA_ERROR_NOT_SUPPORTED);
  memory().save();
  state_ = CU_PROCESS_STATE_CHECKPOINTED;
}

// A map must name every GPU of the machine and no other, whatever CUDA_VISIBLE_DEVICES shows the process, and lead to each once.
void CheckpointMachine::apply(const std::vector<CUcheckpointGpuPair>& pairs) {
  if (pairs.empty()) return;
  std::map<int, int> targets;
  std::set<int> used;
  for (const CUcheckpointGpuPair& pair : pairs) {
    const int from = devices().index_of(pair.oldUuid);
    const int to = devices().index_of(pair.newUuid);
    require(from >= 0 && to >= 0 && targets.emplace(from, to).second && used.insert(to).second);
  }
  require(targets.size() == static_cast<size_t>(settings().gpus));
  for (int ordinal = 0; ordinal < devices().count(); ++ordinal) {
    devices().remap(ordinal, targets.at(devices().gpu(ordinal).index));
  }
}

void CheckpointMachine::restore(const std::vector<CUcheckpointGpuPair>& pairs) {
  const std::lock_guard lock(mutex_);
  require(state_ == CU_PROCESS_STATE_CHECKPOINTED, CUDA_ERROR_ILLEGAL_STATE);
  apply(pairs);
  try {
    memory().restore();
  } catch (...) {
    state_ = CU_PROCESS_STATE_FAILED;
    throw;
  }
  state_ = CU_PROCESS_STATE_LOCKED;
}

void CheckpointMachine::unlock() {
  const std::lock_guard lock(mutex_);
  require(state_ == CU_PROCESS_STATE_LOCKED, CUDA_ERROR_ILLEGAL_STATE);
  state_ = CU_PROCESS_STATE_RUNNING;
  gate().open();
}

CheckpointMachine& checkpoint_machine() {
  static auto* instance = new CheckpointMachine;
  return *instance;
}

}  // namespace gpusnap::simulated
