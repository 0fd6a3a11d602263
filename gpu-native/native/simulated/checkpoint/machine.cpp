#include "checkpoint/machine.h"

#include <algorithm>
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

// A map must name every GPU whose node the process had when its driver started and no other, whatever CUDA_VISIBLE_DEVICES
// shows it, and lead each to one of its own whose node it has now. Without one, those with a context must still be there.
void CheckpointMachine::apply(const std::vector<CUcheckpointGpuPair>& pairs) {
  if (pairs.empty()) {
    for (const auto& context : contexts().all()) {
      require(Devices::has_node(devices().gpu(context->device).index), CUDA_ERROR_INVALID_DEVICE);
    }
    return;
  }
  const std::vector<int>& opened = devices().opened();
  std::map<int, int> targets;
  std::set<int> used;
  for (const CUcheckpointGpuPair& pair : pairs) {
    const int from = devices().index_of(pair.oldUuid);
    const int to = devices().index_of(pair.newUuid);
    require(std::find(opened.begin(), opened.end(), from) != opened.end() && to >= 0 && Devices::has_node(to));
    require(targets.emplace(from, to).second && used.insert(to).second);
  }
  require(targets.size() == opened.size());
  devices().move(targets);
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
