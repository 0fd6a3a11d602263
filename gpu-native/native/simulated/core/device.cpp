#include "core/device.h"

#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <sstream>

#include "core/error.h"
#include "core/settings.h"

namespace gpusnap::simulated {
namespace {

uint64_t mix(uint64_t x) {  // splitmix64
  x += 0x9e3779b97f4a7c15ull;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}

Gpu make_gpu(int index) {
  Gpu gpu{index, {}, "", settings().vram_bytes};
  const uint64_t halves[2] = {mix(settings().uuid_seed * 1024 + index), mix(settings().uuid_seed * 1024 + index + 512)};
  std::memcpy(gpu.uuid.bytes, halves, sizeof halves);
  char text[48];
  int at = std::snprintf(text, sizeof text, "GPU-");
  for (int i = 0; i < 16; ++i) {
    const char* dash = i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "";
    at += std::snprintf(text + at, sizeof text - at, "%s%02x", dash, static_cast<unsigned char>(gpu.uuid.bytes[i]));
  }
  gpu.uuid_text = text;
  return gpu;
}

// As the real driver: entries are ordinals among those that it could open, or UUID prefixes; the list ends at the first that
// names nothing.
std::vector<int> visible_gpus(const std::vector<Gpu>& machine, const std::vector<int>& opened) {
  if (!settings().visible_devices_set) return opened;
  std::vector<int> visible;
  std::stringstream list(settings().visible_devices);
  for (std::string entry; std::getline(list, entry, ',');) {
    int found = -1;
    for (size_t ordinal = 0; ordinal < opened.size(); ++ordinal) {
      const Gpu& gpu = machine[opened[ordinal]];
      if (entry == std::to_string(ordinal) || (entry.size() > 4 && gpu.uuid_text.rfind(entry, 0) == 0)) found = gpu.index;
    }
    if (found < 0) break;
    visible.push_back(found);
  }
  return visible;
}

}  // namespace

Devices::Devices() {
  for (int i = 0; i < settings().gpus; ++i) {
    machine_.push_back(make_gpu(i));
    if (has_node(i)) opened_.push_back(i);
  }
  visible_ = visible_gpus(machine_, opened_);
}

bool Devices::has_node(int machine_index) {
  const std::string& folder = settings().device_nodes;
  return folder.empty() || access((folder + "/nvidia" + std::to_string(machine_index)).c_str(), F_OK) == 0;
}

void Devices::move(const std::map<int, int>& targets) {
  for (int& index : opened_) index = targets.at(index);
  for (int& index : visible_) index = targets.at(index);
}

const Gpu& Devices::gpu(CUdevice ordinal) const {
  require(ordinal >= 0 && ordinal < count(), CUDA_ERROR_INVALID_DEVICE);
  return machine_[visible_[ordinal]];
}

int Devices::ordinal_of(const std::string& uuid_text) const {
  for (int i = 0; i < count(); ++i) {
    if (gpu(i).uuid_text == uuid_text) return i;
  }
  return -1;
}

int Devices::index_of(const CUuuid& uuid) const {
  for (const Gpu& gpu : machine_) {
    if (std::memcmp(&gpu.uuid, &uuid, sizeof uuid) == 0) return gpu.index;
  }
  return -1;
}

int Devices::attribute(CUdevice ordinal, CUdevice_attribute attribute) const {
  const Gpu& g = gpu(ordinal);
  switch (attribute) {
    case CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK:
    case CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_X:
    case CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Y:
      return 1024;
    case CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Z:
      return 64;
    case CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_X:
      return 0x7fffffff;
    case CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Y:
    case CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Z:
      return 65535;
    case CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK:
      return 48 << 10;
    case CU_DEVICE_ATTRIBUTE_WARP_SIZE:
      return 32;
    case CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT:
      return 4;
    case CU_DEVICE_ATTRIBUTE_PCI_BUS_ID:
      return 1 + g.index;
    case CU_DEVICE_ATTRIBUTE_TEXTURE_PITCH_ALIGNMENT:
      return 32;
    case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR:
      return 9;
    case CU_DEVICE_ATTRIBUTE_ASYNC_ENGINE_COUNT:
      return 3;
    case CU_DEVICE_ATTRIBUTE_MEMPOOL_SUPPORTED_HANDLE_TYPES:
      return CU_MEM_HANDLE_TYPE_NONE;
    case CU_DEVICE_ATTRIBUTE_CAN_MAP_HOST_MEMORY:
    case CU_DEVICE_ATTRIBUTE_CONCURRENT_KERNELS:
    case CU_DEVICE_ATTRIBUTE_UNIFIED_ADDRESSING:
    case CU_DEVICE_ATTRIBUTE_STREAM_PRIORITIES_SUPPORTED:
    case CU_DEVICE_ATTRIBUTE_MANAGED_MEMORY:
    case CU_DEVICE_ATTRIBUTE_CONCURRENT_MANAGED_ACCESS:
    case CU_DEVICE_ATTRIBUTE_COMPUTE_PREEMPTION_SUPPORTED:
    case CU_DEVICE_ATTRIBUTE_CAN_USE_HOST_POINTER_FOR_REGISTERED_MEM:
    case CU_DEVICE_ATTRIBUTE_COOPERATIVE_LAUNCH:
    case CU_DEVICE_ATTRIBUTE_HOST_REGISTER_SUPPORTED:
    case CU_DEVICE_ATTRIBUTE_VIRTUAL_MEMORY_MANAGEMENT_SUPPORTED:
    case CU_DEVICE_ATTRIBUTE_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR_SUPPORTED:
    case CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED:
    case CU_DEVICE_ATTRIBUTE_MULTICAST_SUPPORTED:
      return 1;
    default:
      require(attribute > 0);
      return 0;
  }
}

Devices& devices() {
  static auto* instance = new Devices;
  return *instance;
}

}  // namespace gpusnap::simulated
