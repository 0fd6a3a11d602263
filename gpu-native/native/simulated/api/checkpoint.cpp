// The checkpoint API, on any process: not gated, and usable without cuInit.
#include "checkpoint/client.h"
#include "core/call.h"
#include "core/settings.h"

using namespace gpusnap::simulated;

namespace {

constexpr int kSince = 12080;

template <class Body>
CUresult checkpoint_call(const char* name, Body&& body) {
  return guarded(name, [&] {
    require(settings().driver_version >= kSince, CUDA_ERROR_NOT_SUPPORTED);
    body();
  });
}

// Reserved fields must be zero, as the real driver demands.
template <class Args>
bool zero(const Args* args) {
  const char* const bytes = reinterpret_cast<const char*>(args);
  for (size_t i = 0; i < sizeof *args; ++i) {
    if (bytes[i] != 0) return false;
  }
  return true;
}

}  // namespace

GPUSNAP_SIM_EXPORT CUresult cuCheckpointProcessGetState(int pid, CUprocessState* state) {
  return checkpoint_call(__func__, [&] {
    require(state != nullptr);
    *state = static_cast<CUprocessState>(ask(pid, Verb::kState));
  });
}

GPUSNAP_SIM_EXPORT CUresult cuCheckpointProcessGetRestoreThreadId(int pid, int* tid) {
  return checkpoint_call(__func__, [&] {
    require(tid != nullptr);
    *tid = restore_thread(pid);
  });
}

GPUSNAP_SIM_EXPORT CUresult cuCheckpointProcessLock(int pid, CUcheckpointLockArgs* args) {
  return checkpoint_call(__func__, [&] {
    CUcheckpointLockArgs rest = args != nullptr ? *args : CUcheckpointLockArgs{};
    rest.timeoutMs = 0;
    require(zero(&rest));
    ask(pid, Verb::kLock, args != nullptr ? args->timeoutMs : 0);
  });
}

GPUSNAP_SIM_EXPORT CUresult cuCheckpointProcessCheckpoint(int pid, CUcheckpointCheckpointArgs* args) {
  return checkpoint_call(__func__, [&] {
    require(args == nullptr || zero(args));
    ask(pid, Verb::kCheckpoint);
  });
}

GPUSNAP_SIM_EXPORT CUresult cuCheckpointProcessRestore(int pid, CUcheckpointRestoreArgs* args) {
  return checkpoint_call(__func__, [&] {
    std::vector<CUcheckpointGpuPair> pairs;
    if (args != nullptr) {
      CUcheckpointRestoreArgs rest = *args;
      rest.gpuPairs = nullptr;
      rest.gpuPairsCount = 0;
      require(zero(&rest) && (args->gpuPairs != nullptr) == (args->gpuPairsCount > 0) && args->gpuPairsCount <= kMostPairs);
      pairs.assign(args->gpuPairs, args->gpuPairs + args->gpuPairsCount);
    }
    ask(pid, Verb::kRestore, 0, pairs);
  });
}

GPUSNAP_SIM_EXPORT CUresult cuCheckpointProcessUnlock(int pid, CUcheckpointUnlockArgs* args) {
  return checkpoint_call(__func__, [&] {
    require(args == nullptr || zero(args));
    ask(pid, Verb::kUnlock);
  });
}
