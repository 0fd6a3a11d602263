// What the stand-in for cuFile, a library of its own, asks of the simulated machine.
#include "storage/machine.h"

#include "core/call.h"
#include "core/settings.h"

using namespace gpusnap::simulated;

namespace {

// Settings that cannot be read fail every call of the driver; they are not worse for storage.
template <class Value>
Value setting(Value Settings::* which, Value otherwise) noexcept {
  try {
    return settings().*which;
  } catch (const Error&) {
    return otherwise;
  }
}

}  // namespace

GPUSNAP_SIM_EXPORT int gpusnap_simulated_nvidia_fs(void) { return setting(&Settings::nvidia_fs, false) ? 1 : 0; }

GPUSNAP_SIM_EXPORT uint64_t gpusnap_simulated_storage_read_bytes(void) {
  return setting(&Settings::storage_read_bytes, uint64_t{0});
}

GPUSNAP_SIM_EXPORT CUresult gpusnap_simulated_call(const char* function) {
  return call(function, [] {});
}
