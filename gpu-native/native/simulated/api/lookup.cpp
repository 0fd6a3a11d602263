// cuGetProcAddress: the newest export of a symbol that the asked CUDA version knows.
#include <cstring>

#include "core/call.h"
#include "core/settings.h"

using namespace gpusnap::simulated;

namespace {

struct Export {
  const char* symbol;
  int since;
  bool per_thread;
  void* function;
};

const Export exports[] = {
#define ENTRY(symbol, since, exported, parameters) {#symbol, since, false, reinterpret_cast<void*>(&exported)},
    GPUSNAP_CUDA_FUNCTIONS(ENTRY) GPUSNAP_CUDA_SUPERSEDED(ENTRY)
#undef ENTRY
#define ENTRY(symbol, since, exported, suffix) {#symbol, since, true, reinterpret_cast<void*>(&exported##suffix)},
        GPUSNAP_CUDA_PER_THREAD(ENTRY)
#undef ENTRY
};

CUdriverProcAddressQueryResult find(const char* symbol, int cuda_version, uint64_t flags, void** function) {
  const bool per_thread = (flags & CU_GET_PROC_ADDRESS_PER_THREAD_DEFAULT_STREAM) != 0;
  const Export* best = nullptr;
  bool known = false;
  for (const Export& candidate : exports) {
    if (std::strcmp(candidate.symbol, symbol) != 0 || candidate.since > settings().driver_version) continue;
    known = true;
    if (candidate.since > cuda_version || (candidate.per_thread && !per_thread)) continue;
    // A per-thread twin wins over the export that it belongs to.
    const bool better = best == nullptr || candidate.per_thread > best->per_thread ||
                        (candidate.per_thread == best->per_thread && candidate.since > best->since);
    if (better) best = &candidate;
  }
  *function = best != nullptr ? best->function : nullptr;
  if (best != nullptr) return CU_GET_PROC_ADDRESS_SUCCESS;
  return known ? CU_GET_PROC_ADDRESS_VERSION_NOT_SUFFICIENT : CU_GET_PROC_ADDRESS_SYMBOL_NOT_FOUND;
}

}  // namespace

GPUSNAP_SIM_EXPORT CUresult cuGetProcAddress_v2(const char* symbol, void** function, int cuda_version, uint64_t flags,
                                                CUdriverProcAddressQueryResult* result) {
  return guarded(__func__, [&] {
    require(symbol != nullptr && function != nullptr && flags <= 3);
    const auto found = find(symbol, cuda_version, flags, function);
    if (result != nullptr) *result = found;
  });
}

GPUSNAP_SIM_EXPORT CUresult cuGetProcAddress(const char* symbol, void** function, int cuda_version, uint64_t flags) {
  return guarded(__func__, [&] {
    require(symbol != nullptr && function != nullptr && flags <= 3);
    require(find(symbol, cuda_version, flags, function) == CU_GET_PROC_ADDRESS_SUCCESS, CUDA_ERROR_NOT_FOUND);
  });
}
