// The application's own virtual memory management: forwarded with the driver's handles in place of ours.
#include "preload/blocks.h"
#include "preload/gate.h"
#include "preload/hooks.h"
#include "preload/reclaim.h"
#include "preload/sharing.h"

namespace gpusnap::preload {
namespace {

// Sparse-texture pools and memory for other nodes are beyond what a freeze can bring back; so is host memory.
bool manages(const CUmemAllocationProp& properties) {
    return properties.type == CU_MEM_ALLOCATION_TYPE_PINNED &&
           properties.location.type == CU_MEM_LOCATION_TYPE_DEVICE && properties.allocFlags.usage == 0 &&
           (properties.requestedHandleTypes & ~CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR) == 0;
}

CUresult create(CUmemGenericAllocationHandle* handle, size_t size, const CUmemAllocationProp* properties, uint64_t flags) {
    if (handle == nullptr || properties == nullptr || !manages(*properties)) {
        CUresult result = real::cuMemCreate(handle, size, properties, flags);
        if (result == CUDA_SUCCESS) {
            Sharing::get().created(*handle);
        }
        return result;
    }
    uint64_t id = 0;
    CUresult result = BlockTable::get().create(size, *properties, flags, &id);
    if (result == CUDA_SUCCESS) {
        *handle = BlockTable::handle_of(id);
    }
    return result;
}

}  // namespace

CUresult own::cuMemCreate(CUmemGenericAllocationHandle* handle, size_t size, const CUmemAllocationProp* properties,
                          uint64_t flags) {
    Pass pass;
    free_deferred();
    CUresult result = create(handle, size, properties, flags);
    return result == CUDA_ERROR_OUT_OF_MEMORY && reclaim() ? create(handle, size, properties, flags) : result;
}

CUresult own::cuMemRelease(CUmemGenericAllocationHandle handle) {
    Pass pass;
    if (uint64_t id = BlockTable::id_of(handle)) {
        return BlockTable::get().drop_reference(id);
    }
    CUresult result = real::cuMemRelease(handle);
    if (result == CUDA_SUCCESS) {
        Sharing::get().released(handle);
    }
    return result;
}

CUresult own::cuMemMap(CUdeviceptr address, size_t size, size_t offset, CUmemGenericAllocationHandle handle, uint64_t flags) {
    Pass pass;
    if (uint64_t id = BlockTable::id_of(handle)) {
        return BlockTable::get().map(address, size, offset, id, flags);
    }
    CUresult result = real::cuMemMap(address, size, offset, handle, flags);
    if (result == CUDA_SUCCESS) {
        Sharing::get().mapped(address, size, handle);
    }
    return result;
}

CUresult own::cuMemUnmap(CUdeviceptr address, size_t size) {
    Pass pass;
    CUresult result = BlockTable::get().unmap(address, size);
    if (result == CUDA_SUCCESS) {
        Sharing::get().unmapped(address, size);
    }
    return result;
}

CUresult own::cuMemSetAccess(CUdeviceptr address, size_t size, const CUmemAccessDesc* descriptions, size_t count) {
    Pass pass;
    return BlockTable::get().set_access(address, size, descriptions, count);
}

CUresult own::cuMemRetainAllocationHandle(CUmemGenericAllocationHandle* handle, void* address) {
    Pass pass;
    auto where = reinterpret_cast<CUdeviceptr>(address);
    Allocation allocation;
    if (Allocations::get().find(where, &allocation)) {
        return CUDA_ERROR_INVALID_VALUE;  // memory of cuMemAlloc has no handle
    }
    uint64_t id = BlockTable::get().block_at(where);
    if (id == 0 || handle == nullptr) {
        CUresult result = real::cuMemRetainAllocationHandle(handle, address);
        if (result == CUDA_SUCCESS) {
            Sharing::get().retained(*handle, where);
        }
        return result;
    }
    if (!BlockTable::get().add_reference(id)) {
        return CUDA_ERROR_INVALID_VALUE;
    }
    *handle = BlockTable::handle_of(id);
    return CUDA_SUCCESS;
}

CUresult own::cuMemExportToShareableHandle(void* shareable, CUmemGenericAllocationHandle handle, int type, uint64_t flags) {
    Pass pass;
    uint64_t id = BlockTable::id_of(handle);
    if (id == 0) {
        CUresult result = real::cuMemExportToShareableHandle(shareable, handle, type, flags);
        if (result == CUDA_SUCCESS) {
            Sharing::get().exported(handle);
        }
        return result;
    }
    CUresult result = CUDA_ERROR_INVALID_VALUE;
    BlockTable::get().with_block(id, [&](Block& block) {
        if ((block.asked_types & type) == 0) {
            return;  // the application did not ask for this kind, so the driver would refuse
        }
        result = block.export_as(shareable, type, flags);
        block.shared = block.shared || result == CUDA_SUCCESS;
    });
    return result;
}

CUresult own::cuMemImportFromShareableHandle(CUmemGenericAllocationHandle* handle, void* shareable, int type) {
    Pass pass;
    CUresult result = real::cuMemImportFromShareableHandle(handle, shareable, type);
    if (result == CUDA_SUCCESS) {
        Sharing::get().imported(*handle);
    }
    return result;
}

CUresult own::cuMemGetAllocationPropertiesFromHandle(CUmemAllocationProp* properties, CUmemGenericAllocationHandle handle) {
    Pass pass;
    uint64_t id = BlockTable::id_of(handle);
    if (id == 0 || properties == nullptr) {
        return real::cuMemGetAllocationPropertiesFromHandle(properties, handle);
    }
    CUresult result = CUDA_ERROR_INVALID_VALUE;
    BlockTable::get().with_block(id, [&](Block& block) {
        result = real::cuMemGetAllocationPropertiesFromHandle(properties, block.real);
        properties->requestedHandleTypes = block.asked_types;
    });
    return result;
}

}  // namespace gpusnap::preload
