// Errors, initialisation, devices.
#include <cstdio>
#include <cstring>

#include "core/call.h"
#include "core/device.h"
#include "core/settings.h"

using namespace gpusnap::simulated;

// libgpusnap reports `simulated` where the driver exports this.
GPUSNAP_SIM_EXPORT const int gpusnap_simulated_driver;
const int gpusnap_simulated_driver = 1;

GPUSNAP_SIM_EXPORT CUresult cuGetErrorName(CUresult error, const char** name) {
  if (const auto injected = failures().next(__func__)) return *injected;
  if (name == nullptr) return CUDA_ERROR_INVALID_VALUE;
  *name = error_name(error);
  return *name != nullptr ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

GPUSNAP_SIM_EXPORT CUresult cuGetErrorString(CUresult error, const char** text) {
  if (text == nullptr) return CUDA_ERROR_INVALID_VALUE;
  *text = error_text(error);
  return *text != nullptr ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

GPUSNAP_SIM_EXPORT CUresult cuInit(unsigned int flags) {
  if (forked()) return CUDA_ERROR_NOT_INITIALIZED;
  const Gate::Pass pass(gate());
  return guarded(__func__, [&] {
    require(flags == 0);
    initialise();
  });
}

GPUSNAP_SIM_EXPORT CUresult cuDriverGetVersion(int* version) {
  return guarded(__func__, [&] {
    require(version != nullptr);
    *version = settings().driver_version;
  });
}

GPUSNAP_SIM_EXPORT CUresult cuDeviceGet(CUdevice* device, int ordinal) {
  return call(__func__, [&] {
    require(device != nullptr);
    devices().gpu(ordinal);
    *device = ordinal;
  });
}

GPUSNAP_SIM_EXPORT CUresult cuDeviceGetCount(int* count) {
  return call(__func__, [&] {
    require(count != nullptr);
    *count = devices().count();
  });
}

GPUSNAP_SIM_EXPORT CUresult cuDeviceGetName(char* name, int length, CUdevice device) {
  return call(__func__, [&] {
    require(name != nullptr && length > 0);
    devices().gpu(device);
    std::snprintf(name, static_cast<size_t>(length), "%s", settings().name.c_str());
  });
}

GPUSNAP_SIM_EXPORT CUresult cuDeviceGetUuid_v2(CUuuid* uuid, CUdevice device) {
  return call(__func__, [&] {
    require(uuid != nullptr);
    *uuid = devices().gpu(device).uuid;
  });
}

GPUSNAP_SIM_EXPORT CUresult cuDeviceGetUuid(CUuuid* uuid, CUdevice device) {
  return call(__func__, [&] {
    require(uuid != nullptr);
    *uuid = devices().gpu(device).uuid;
  });
}

GPUSNAP_SIM_EXPORT CUresult cuDeviceTotalMem_v2(size_t* bytes, CUdevice device) {
  return call(__func__, [&] {
    require(bytes != nullptr);
    *bytes = devices().gpu(device).vram_bytes;
  });
}

GPUSNAP_SIM_EXPORT CUresult cuDeviceGetAttribute(int* value, CUdevice_attribute attribute, CUdevice device) {
  return call(__func__, [&] {
    require(value != nullptr);
    *value = devices().attribute(device, attribute);
  });
}

GPUSNAP_SIM_EXPORT CUresult cuDeviceGetPCIBusId(char* text, int length, CUdevice device) {
  return call(__func__, [&] {
    require(text != nullptr && length > 0);
    std::snprintf(text, static_cast<size_t>(length), "0000:%02x:00.0", 1 + devices().gpu(device).index);
  });
}

GPUSNAP_SIM_EXPORT CUresult cuDeviceGetByPCIBusId(CUdevice* device, const char* text) {
  return call(__func__, [&] {
    require(device != nullptr && text != nullptr);
    unsigned bus = 0;
    require(std::sscanf(text, "0000:%x:", &bus) == 1 || std::sscanf(text, "%x:", &bus) == 1);
    for (int i = 0; i < devices().count(); ++i) {
      if (devices().gpu(i).index + 1 != static_cast<int>(bus)) continue;
      *device = i;
      return;
    }
    fail(CUDA_ERROR_INVALID_DEVICE);
  });
}

GPUSNAP_SIM_EXPORT CUresult cuDeviceCanAccessPeer(int* can, CUdevice device, CUdevice peer) {
  return call(__func__, [&] {
    require(can != nullptr);
    devices().gpu(device);
    devices().gpu(peer);
    *can = device != peer ? 1 : 0;
  });
}
