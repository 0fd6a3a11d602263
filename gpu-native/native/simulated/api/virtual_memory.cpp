// Virtual memory management: reserve, create, map, share; and multicast objects.
#include "core/call.h"
#include "core/device.h"
#include "memory/memory.h"

using namespace gpusnap::simulated;

namespace {

void check(const CUmemAllocationProp* prop) {
  require(prop != nullptr && prop->type == CU_MEM_ALLOCATION_TYPE_PINNED);
  require(prop->location.type == CU_MEM_LOCATION_TYPE_DEVICE, CUDA_ERROR_NOT_SUPPORTED);
  devices().gpu(prop->location.id);
  const unsigned unknown = prop->requestedHandleTypes & ~static_cast<unsigned>(CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR);
  require(unknown == 0, CUDA_ERROR_NOT_SUPPORTED);
}

void require_descriptor_type(CUmemAllocationHandleType type) {
  require(type == CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR, CUDA_ERROR_NOT_SUPPORTED);
}

}  // namespace

GPUSNAP_SIM_EXPORT CUresult cuMemAddressReserve(CUdeviceptr* address, size_t size, size_t alignment, CUdeviceptr hint,
                                                unsigned long long flags) {
  return call(__func__, [&] {
    require(address != nullptr && flags == 0);
    *address = memory().space()->reserve(size, alignment, hint);
  });
}

GPUSNAP_SIM_EXPORT CUresult cuMemAddressFree(CUdeviceptr address, size_t size) {
  return call(__func__, [&] {
    require(!memory().allocation_at(address).has_value());
    memory().space()->unreserve(address, size);
  });
}

GPUSNAP_SIM_EXPORT CUresult cuMemCreate(CUmemGenericAllocationHandle* handle, size_t size, const CUmemAllocationProp* prop,
                                        unsigned long long flags) {
  return call(__func__, [&] {
    require(handle != nullptr && flags == 0 && size > 0 && size % kGranularity == 0);
    check(prop);
    auto physical = Physical::create(prop->location.id, size, *prop);
    *handle = memory().space()->add_handle(std::move(physical));
  });
}

GPUSNAP_SIM_EXPORT CUresult cuMemRelease(CUmemGenericAllocationHandle handle) {
  return call(__func__, [&] { memory().space()->release_handle(handle); });
}

GPUSNAP_SIM_EXPORT CUresult cuMemMap(CUdeviceptr address, size_t size, size_t offset, CUmemGenericAllocationHandle handle,
                                     unsigned long long flags) {
  return call(__func__, [&] {
    require(flags == 0);
    auto space = memory().space();
    space->map(address, size, offset, space->handle(handle));
  });
}

GPUSNAP_SIM_EXPORT CUresult cuMemUnmap(CUdeviceptr address, size_t size) {
  return call(__func__, [&] {
    require(!memory().allocation_at(address).has_value());
    memory().space()->unmap(address, size);
  });
}

GPUSNAP_SIM_EXPORT CUresult cuMemSetAccess(CUdeviceptr address, size_t size, const CUmemAccessDesc* desc, size_t count) {
  return call(__func__, [&] {
    require(desc != nullptr && count > 0);
    for (size_t i = 0; i < count; ++i) {
      require(desc[i].location.type == CU_MEM_LOCATION_TYPE_DEVICE, CUDA_ERROR_NOT_SUPPORTED);
      devices().gpu(desc[i].location.id);
      memory().space()->set_access(address, size, desc[i].location.id, desc[i].flags);
    }
  });
}

GPUSNAP_SIM_EXPORT CUresult cuMemGetAccess(unsigned long long* flags, const CUmemLocation* location, CUdeviceptr address) {
  return call(__func__, [&] {
    require(flags != nullptr && location != nullptr && location->type == CU_MEM_LOCATION_TYPE_DEVICE);
    auto space = memory().space();
    const Mapping* const mapping = space->find(address);
    require(mapping != nullptr);
    *flags = mapping->access.of(location->id);
  });
}

GPUSNAP_SIM_EXPORT CUresult cuMemExportToShareableHandle(void* shareable, CUmemGenericAllocationHandle handle,
                                                         CUmemAllocationHandleType type, unsigned long long flags) {
  return call(__func__, [&] {
    require(shareable != nullptr && flags == 0);
    require_descriptor_type(type);
    auto space = memory().space();
    *static_cast<int*>(shareable) = space->handle(handle)->export_descriptor();
  });
}

GPUSNAP_SIM_EXPORT CUresult cuMemImportFromShareableHandle(CUmemGenericAllocationHandle* handle, void* shareable,
                                                           CUmemAllocationHandleType type) {
  return call(__func__, [&] {
    require(handle != nullptr);
    require_descriptor_type(type);
    auto physical = Physical::import(static_cast<int>(reinterpret_cast<intptr_t>(shareable)));
    *handle = memory().space()->add_handle(std::move(physical));
  });
}

GPUSNAP_SIM_EXPORT CUresult cuMemGetAllocationGranularity(size_t* granularity, const CUmemAllocationProp* prop,
                                                          CUmemAllocationGranularity_flags) {
  return call(__func__, [&] {
    require(granularity != nullptr);
    check(prop);
    *granularity = kGranularity;
  });
}

GPUSNAP_SIM_EXPORT CUresult cuMemGetAllocationPropertiesFromHandle(CUmemAllocationProp* prop,
                                                                   CUmemGenericAllocationHandle handle) {
  return call(__func__, [&] {
    require(prop != nullptr);
    auto space = memory().space();
    *prop = space->handle(handle)->prop();
  });
}

GPUSNAP_SIM_EXPORT CUresult cuMemRetainAllocationHandle(CUmemGenericAllocationHandle* handle, void* address) {
  return call(__func__, [&] {
    const uint64_t at = reinterpret_cast<uint64_t>(address);
    require(handle != nullptr && !memory().allocation_at(at).has_value());
    auto space = memory().space();
    const Mapping* const mapping = space->find(at);
    require(mapping != nullptr);
    *handle = space->add_handle(mapping->physical);
  });
}

// A multicast object can be made and given devices, which is what a checkpoint has to refuse; memory cannot be bound.
GPUSNAP_SIM_EXPORT CUresult cuMulticastCreate(CUmemGenericAllocationHandle* handle, const CUmulticastObjectProp* prop) {
  return call(__func__, [&] {
    require(handle != nullptr && prop != nullptr && prop->numDevices > 0 && prop->size > 0);
    require(prop->size % kGranularity == 0);
    *handle = memory().space()->add_handle(Physical::multicast(prop->size));
  });
}

GPUSNAP_SIM_EXPORT CUresult cuMulticastAddDevice(CUmemGenericAllocationHandle handle, CUdevice device) {
  return call(__func__, [&] {
    devices().gpu(device);
    auto space = memory().space();
    require(space->handle(handle)->kind() == Physical::Kind::kMulticast);
  });
}

GPUSNAP_SIM_EXPORT CUresult cuMulticastGetGranularity(size_t* granularity, const CUmulticastObjectProp* prop,
                                                      CUmulticastGranularity_flags) {
  return call(__func__, [&] {
    require(granularity != nullptr && prop != nullptr);
    *granularity = kGranularity;
  });
}
