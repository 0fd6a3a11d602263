#include "core/settings.h"

#include <cerrno>
#include <cstdlib>

#include "core/error.h"

namespace gpusnap::simulated {
namespace {

std::string text(const char* name, const char* fallback) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : fallback;
}

uint64_t number(const char* name, uint64_t fallback, uint64_t least, uint64_t most) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return fallback;
  char* end = nullptr;
  errno = 0;
  const unsigned long long parsed = std::strtoull(value, &end, 10);
  if (errno != 0 || *end != '\0' || *value == '-' || parsed < least || parsed > most) {
    complain("%s=%s is not a number from %llu to %llu", name, value, static_cast<unsigned long long>(least),
             static_cast<unsigned long long>(most));
    fail(CUDA_ERROR_INVALID_VALUE);
  }
  return parsed;
}

void require_absolute(const char* name, const std::string& path) {
  if (path.front() == '/') return;
  complain("%s=%s is not an absolute path", name, path.c_str());
  fail(CUDA_ERROR_INVALID_VALUE);
}

Settings read() {
  Settings s;
  s.gpus = static_cast<int>(number("GPUSNAP_SIM_GPUS", 1, 0, 64));
  s.vram_bytes = number("GPUSNAP_SIM_VRAM_BYTES", 8ull << 30, 2ull << 20, 1ull << 50);
  s.name = text("GPUSNAP_SIM_NAME", "Simulated H100");
  s.driver_version = static_cast<int>(number("GPUSNAP_SIM_DRIVER_VERSION", 13000, 2000, 99990));
  s.uuid_seed = number("GPUSNAP_SIM_UUID_SEED", 1, 0, UINT64_MAX);
  s.state_dir = text("GPUSNAP_SIM_STATE_DIR", "/dev/shm/gpusnap-sim");
  s.device_nodes = text("GPUSNAP_SIM_DEV", "");
  s.failures = text("GPUSNAP_SIM_FAIL", "");
  s.asynchronous = number("GPUSNAP_SIM_ASYNC", 1, 0, 1) == 1;
  s.poison = number("GPUSNAP_SIM_POISON", 0, 0, 1) == 1;
  s.bandwidth_bytes = number("GPUSNAP_SIM_BANDWIDTH_BYTES", 0, 0, UINT64_MAX);
  s.nvidia_fs = number("GPUSNAP_SIM_NVIDIA_FS", 0, 0, 1) == 1;
  s.storage_read_bytes = number("GPUSNAP_SIM_STORAGE_READ_BYTES", 0, 0, UINT64_MAX);
  s.visible_devices_set = std::getenv("CUDA_VISIBLE_DEVICES") != nullptr;
  s.visible_devices = text("CUDA_VISIBLE_DEVICES", "");
  require_absolute("GPUSNAP_SIM_STATE_DIR", s.state_dir);
  if (!s.device_nodes.empty()) require_absolute("GPUSNAP_SIM_DEV", s.device_nodes);
  return s;
}

}  // namespace

const Settings& settings() {
  static const auto* instance = new Settings(read());  // streams' threads go on while exit() destroys statics
  return *instance;
}

}  // namespace gpusnap::simulated
