// cuMemAlloc and its kin, page-locked host memory, pointer attributes, IPC.
#include "memory/memory.h"

#include "core/call.h"
#include "core/device.h"
#include "memory/ledger.h"
#include "work/pool.h"
#include "work/submit.h"

using namespace gpusnap::simulated;

namespace {

constexpr uint64_t kPitchAlignment = 512;

CUdeviceptr allocate(uint64_t size, Allocation::Kind kind) {
  const auto context = current_context();
  refuse_unsafe_call();
  return memory().allocate(size, context->device, kind, context.get(), nullptr);
}

uint64_t address_of(const void* pointer) { return reinterpret_cast<uint64_t>(pointer); }

template <class T>
void store(void* data, T value) {
  *static_cast<T*>(data) = value;
}

// What is known about an address; `device` where it is device memory.
struct Pointer {
  CUdeviceptr address;
  std::optional<Allocation> allocation;
  std::optional<HostRange> host;
  uint64_t host_base = 0;
  bool mapped = false;
  uint64_t mapping_base = 0;
  Mapping mapping;

  explicit Pointer(CUdeviceptr at) : address(at), allocation(memory().allocation_at(at)), host(memory().host_range_at(at, &host_base)) {
    const auto space = memory().space();
    if (const Mapping* found = const_cast<Memory::Locked&>(space)->find(at, &mapping_base)) {
      mapping = *found;
      mapped = true;
    }
  }
  bool known() const { return mapped || host.has_value(); }
  CUdeviceptr base() const { return allocation ? allocation->address : mapped ? mapping_base : host_base; }
  size_t size() const { return allocation ? allocation->size : mapped ? mapping.size : host->size; }
  bool managed() const { return allocation && allocation->kind == Allocation::Kind::kManaged; }
};

void attribute(const Pointer& p, CUpointer_attribute attribute, void* data) {
  switch (attribute) {
    case CU_POINTER_ATTRIBUTE_CONTEXT: {
      // Null for mapped and for pool memory: no context owns it.
      const bool owned = p.allocation && p.allocation->kind != Allocation::Kind::kPool;
      Context* owner = owned ? p.allocation->context : p.host ? p.host->context : nullptr;
      return store<CUcontext>(data, reinterpret_cast<CUcontext>(owner));
    }
    case CU_POINTER_ATTRIBUTE_MEMORY_TYPE:
      return store<unsigned>(data, p.mapped ? CU_MEMORYTYPE_DEVICE : CU_MEMORYTYPE_HOST);
    case CU_POINTER_ATTRIBUTE_DEVICE_POINTER:
      return store<CUdeviceptr>(data, p.address);
    case CU_POINTER_ATTRIBUTE_HOST_POINTER:
      require(p.host || p.managed());
      return store<void*>(data, reinterpret_cast<void*>(p.address));
    case CU_POINTER_ATTRIBUTE_SYNC_MEMOPS:
      return store<unsigned>(data, 0);
    case CU_POINTER_ATTRIBUTE_BUFFER_ID:
      return store<unsigned long long>(data, p.base());
    case CU_POINTER_ATTRIBUTE_IS_MANAGED:
      return store<unsigned>(data, p.managed() ? 1 : 0);
    case CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL:
      return store<int>(data, p.mapped ? p.mapping.physical->device() : 0);
    case CU_POINTER_ATTRIBUTE_IS_LEGACY_CUDA_IPC_CAPABLE:
      return store<unsigned>(data, p.allocation && p.allocation->kind == Allocation::Kind::kPlain ? 1 : 0);
    case CU_POINTER_ATTRIBUTE_RANGE_START_ADDR:
      return store<CUdeviceptr>(data, p.base());
    case CU_POINTER_ATTRIBUTE_RANGE_SIZE:
      return store<size_t>(data, p.size());
    case CU_POINTER_ATTRIBUTE_MAPPED:
      return store<unsigned>(data, 1);
    case CU_POINTER_ATTRIBUTE_ALLOWED_HANDLE_TYPES:
      return store<unsigned long long>(data, p.mapped ? p.mapping.physical->prop().requestedHandleTypes : 0);
    case CU_POINTER_ATTRIBUTE_IS_GPU_DIRECT_RDMA_CAPABLE:
    case CU_POINTER_ATTRIBUTE_IS_HW_DECOMPRESS_CAPABLE:
      return store<unsigned>(data, 0);
    case CU_POINTER_ATTRIBUTE_ACCESS_FLAGS:
      return store<unsigned>(data, p.mapped ? p.mapping.access.of(current_context()->device) : CU_MEM_ACCESS_FLAGS_PROT_READWRITE);
    case CU_POINTER_ATTRIBUTE_MEMPOOL_HANDLE:
      return store<CUmemoryPool>(data, reinterpret_cast<CUmemoryPool>(p.allocation ? p.allocation->pool : nullptr));
    case CU_POINTER_ATTRIBUTE_MAPPING_SIZE:
      require(p.mapped);
      return store<size_t>(data, p.mapping.size);
    case CU_POINTER_ATTRIBUTE_MAPPING_BASE_ADDR:
      require(p.mapped);
      return store<CUdeviceptr>(data, p.mapping_base);
    default:
      fail(CUDA_ERROR_NOT_SUPPORTED);
  }
}

}  // namespace

GPUSNAP_SIM_EXPORT CUresult cuMemGetInfo_v2(size_t* free_bytes, size_t* total_bytes) {
  // Passes the lock and finds no device, as measured: 304.
  if (checkpoint_machine().state() == CU_PROCESS_STATE_CHECKPOINTED) return CUDA_ERROR_OPERATING_SYSTEM;
  return call(__func__, [&] {
    require(free_bytes != nullptr && total_bytes != nullptr);
    const Gpu& gpu = devices().gpu(current_context()->device);
    const uint64_t used = ledger().used_bytes(gpu);
    *total_bytes = gpu.vram_bytes;
    *free_bytes = used < gpu.vram_bytes ? gpu.vram_bytes - used : 0;
  });
}

GPUSNAP_SIM_EXPORT CUresult cuMemAlloc_v2(CUdeviceptr* address, size_t size) {
  return call(__func__, [&] {
    require(address != nullptr);
    *address = allocate(size, Allocation::Kind::kPlain);
  });
}

GPUSNAP_SIM_EXPORT CUresult cuMemAllocPitch_v2(CUdeviceptr* address, size_t* pitch, size_t width, size_t height,
                                               unsigned int element_size) {
  return call(__func__, [&] {
    require(address != nullptr && pitch != nullptr && width > 0 && height > 0);
    require(element_size == 4 || element_size == 8 || element_size == 16);
    const uint64_t row = round_up(width, kPitchAlignment);
    *address = allocate(row * height, Allocation::Kind::kPlain);
    *pitch = row;
  });
}

GPUSNAP_SIM_EXPORT CUresult cuMemFree_v2(CUdeviceptr address) {
  return call(__func__, [&] {
    current_context();
    refuse_unsafe_call();
    if (address == 0) return;
    const auto allocation = memory().allocation_at(address);
    require(allocation && allocation->address == address);
    synchronize_device(allocation->device);
    memory().free(address);
    if (allocation->pool != nullptr) allocation->pool->used_bytes -= allocation->size;
  });
}

GPUSNAP_SIM_EXPORT CUresult cuMemGetAddressRange_v2(CUdeviceptr* base, size_t* size, CUdeviceptr address) {
  return call(__func__, [&] {
    current_context();
    const Pointer pointer(address);
    require(pointer.known(), CUDA_ERROR_NOT_FOUND);
    if (base != nullptr) *base = pointer.base();
    if (size != nullptr) *size = pointer.size();
  });
}

GPUSNAP_SIM_EXPORT CUresult cuMemAllocManaged(CUdeviceptr* address, size_t size, unsigned int flags) {
  return call(__func__, [&] {
    require(address != nullptr && (flags == CU_MEM_ATTACH_GLOBAL || flags == CU_MEM_ATTACH_HOST));
    *address = allocate(size, Allocation::Kind::kManaged);
  });
}

GPUSNAP_SIM_EXPORT CUresult cuMemAllocHost_v2(void** address, size_t size) {
  return call(__func__, [&] {
    require(address != nullptr);
    *address = memory().allocate_host(size, CU_MEMHOSTALLOC_DEVICEMAP, current_context().get());
  });
}

GPUSNAP_SIM_EXPORT CUresult cuMemHostAlloc(void** address, size_t size, unsigned int flags) {
  return call(__func__, [&] {
    require(address != nullptr && flags <= 7);
    *address = memory().allocate_host(size, flags, current_context().get());
  });
}

GPUSNAP_SIM_EXPORT CUresult cuMemFreeHost(void* address) {
  return call(__func__, [&] {
    synchronize_device(current_context()->device);
    memory().free_host(address);
  });
}

GPUSNAP_SIM_EXPORT CUresult cuMemHostRegister_v2(void* address, size_t size, unsigned int flags) {
  return call(__func__, [&] {
    require(flags <= 15);
    memory().register_host(address, size, flags, current_context().get());
  });
}

GPUSNAP_SIM_EXPORT CUresult cuMemHostUnregister(void* address) {
  return call(__func__, [&] {
    synchronize_device(current_context()->device);
    memory().unregister_host(address);
  });
}

GPUSNAP_SIM_EXPORT CUresult cuMemHostGetDevicePointer_v2(CUdeviceptr* device, void* host, unsigned int flags) {
  return call(__func__, [&] {
    uint64_t base = 0;
    require(device != nullptr && flags == 0 && memory().host_range_at(address_of(host), &base).has_value());
    *device = address_of(host);
  });
}

GPUSNAP_SIM_EXPORT CUresult cuMemHostGetFlags(unsigned int* flags, void* host) {
  return call(__func__, [&] {
    uint64_t base = 0;
    const auto range = memory().host_range_at(address_of(host), &base);
    require(flags != nullptr && range && !range->registered);
    *flags = range->flags;
  });
}

GPUSNAP_SIM_STREAM_CALL(cuMemPrefetchAsync_v2, _ptsz,
                        (CUdeviceptr address, size_t size, CUmemLocation location, unsigned int flags, CUstream stream),
                        (address, size, location, flags, stream)) {
  return call("cuMemPrefetchAsync_v2", [&] {
    require(flags == 0 && size > 0 && location.type != CU_MEM_LOCATION_TYPE_INVALID && Pointer(address).managed());
    submit(stream_of(stream), CU_GRAPH_NODE_TYPE_EMPTY, [] {});  // the memory is where it is
  });
}

GPUSNAP_SIM_EXPORT CUresult cuMemAdvise_v2(CUdeviceptr address, size_t size, CUmem_advise advice, CUmemLocation) {
  return call(__func__, [&] {
    const bool known = advice >= CU_MEM_ADVISE_SET_READ_MOSTLY && advice <= CU_MEM_ADVISE_UNSET_ACCESSED_BY;
    require(known && size > 0 && Pointer(address).managed());
  });
}

GPUSNAP_SIM_EXPORT CUresult cuPointerGetAttribute(void* data, CUpointer_attribute name, CUdeviceptr address) {
  return call(__func__, [&] {
    require(data != nullptr);
    const Pointer pointer(address);
    require(pointer.known());
    attribute(pointer, name, data);
  });
}

GPUSNAP_SIM_EXPORT CUresult cuPointerGetAttributes(unsigned int count, CUpointer_attribute* names, void** data,
                                                   CUdeviceptr address) {
  return call(__func__, [&] {
    require(names != nullptr && data != nullptr);
    const Pointer pointer(address);
    for (unsigned i = 0; i < count; ++i) {
      if (pointer.known()) {
        attribute(pointer, names[i], data[i]);
      } else if (names[i] == CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL) {  // ordinary host memory: no error, empty answers
        store<int>(data[i], -2);
      } else if (names[i] == CU_POINTER_ATTRIBUTE_MEMORY_TYPE || names[i] == CU_POINTER_ATTRIBUTE_IS_MANAGED) {
        store<unsigned>(data[i], 0);
      } else {
        store<void*>(data[i], nullptr);
      }
    }
  });
}

GPUSNAP_SIM_EXPORT CUresult cuPointerSetAttribute(const void* value, CUpointer_attribute name, CUdeviceptr address) {
  return call(__func__, [&] {
    require(value != nullptr && name == CU_POINTER_ATTRIBUTE_SYNC_MEMOPS && Pointer(address).mapped);
  });
}

// Sharing by legacy handle is not simulated; whoever tries is told so, as on platforms without it.
GPUSNAP_SIM_EXPORT CUresult cuIpcGetMemHandle(CUipcMemHandle*, CUdeviceptr) {
  return call(__func__, [] { fail(CUDA_ERROR_NOT_SUPPORTED); });
}

GPUSNAP_SIM_EXPORT CUresult cuIpcOpenMemHandle_v2(CUdeviceptr*, CUipcMemHandle, unsigned int) {
  return call(__func__, [] { fail(CUDA_ERROR_NOT_SUPPORTED); });
}

GPUSNAP_SIM_EXPORT CUresult cuIpcCloseMemHandle(CUdeviceptr) {
  return call(__func__, [] { fail(CUDA_ERROR_NOT_SUPPORTED); });
}

GPUSNAP_SIM_EXPORT CUresult cuIpcGetEventHandle(CUipcEventHandle*, CUevent) {
  return call(__func__, [] { fail(CUDA_ERROR_NOT_SUPPORTED); });
}

GPUSNAP_SIM_EXPORT CUresult cuIpcOpenEventHandle(CUevent*, CUipcEventHandle) {
  return call(__func__, [] { fail(CUDA_ERROR_NOT_SUPPORTED); });
}
