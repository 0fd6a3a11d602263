#include "target/import.h"

#include <cstring>

#include "mover/areas.h"

namespace gpusnap {

UuidBytes uuid_of(const gpusnap_wire_record& record) {
    UuidBytes uuid{};
    std::memcpy(uuid.data(), record.gpu_uuid, uuid.size());
    return uuid;
}

ImportedMemory::~ImportedMemory() {
    try {
        drop();
    } catch (const Failure&) {
        // Nobody is left to tell; the process's end frees what the driver would not.
    }
}

void ImportedMemory::reserve(const std::vector<gpusnap_wire_record>& records) {
    const Driver& driver = Driver::get();
    std::map<uint32_t, size_t> wanted;
    for (const auto& record : records) {
        wanted[gpu_by_uuid(uuid_of(record)).ordinal()] += record.size_bytes;
    }
    for (const auto& [ordinal, bytes] : wanted) {
        ContextScope scope(gpu(ordinal));
        Range range;
        driver.check(driver.cuMemAddressReserve(&range.base, bytes, 0, 0, 0), "cuMemAddressReserve");
        range.reserved_bytes = bytes;
        ranges_[ordinal] = range;
    }
}

void ImportedMemory::add(const gpusnap_wire_record& record, int descriptor) {
    const Driver& driver = Driver::get();
    Gpu& which = gpu_by_uuid(uuid_of(record));
    ContextScope scope(which);
    Range& range = ranges_.at(which.ordinal());
    if (range.used_bytes + record.size_bytes > range.reserved_bytes) {
        throw Failure(GPUSNAP_E_PROTOCOL, "the workload exported more memory than it listed");
    }
    Mapping mapping;
    mapping.address = range.base + range.used_bytes;
    mapping.size_bytes = record.size_bytes;
    mapping.gpu_ordinal = which.ordinal();
    void* as_handle = reinterpret_cast<void*>(static_cast<uintptr_t>(descriptor));
    driver.check(driver.cuMemImportFromShareableHandle(&mapping.handle, as_handle, CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR),
                 "cuMemImportFromShareableHandle");
    CUresult mapped = driver.cuMemMap(mapping.address, mapping.size_bytes, 0, mapping.handle, 0);
    if (mapped != CUDA_SUCCESS) {
        driver.cuMemRelease(mapping.handle);
        driver.check(mapped, "cuMemMap");
    }
    range.used_bytes += record.size_bytes;
    mappings_[record.id] = mapping;
    imported_areas().add(mapping.address, mapping.size_bytes);
}

void ImportedMemory::allow_access() {
    const Driver& driver = Driver::get();
    for (const auto& [ordinal, range] : ranges_) {
        Gpu& which = gpu(ordinal);
        ContextScope scope(which);
        CUmemAccessDesc access{};
        access.location = which.allocation_properties().location;
        access.flags = CU_MEM_ACCESS_FLAGS_PROT_READWRITE;
        driver.check(driver.cuMemSetAccess(range.base, range.used_bytes, &access, 1), "cuMemSetAccess");
    }
}

uint64_t ImportedMemory::local_address(uint64_t id) const {
    auto found = mappings_.find(id);
    return found == mappings_.end() ? 0 : found->second.address;
}

void ImportedMemory::drop() {
    if (ranges_.empty()) {
        return;
    }
    const Driver& driver = Driver::get();
    CUresult first = CUDA_SUCCESS;
    const char* call = "";
    auto note = [&](CUresult result, const char* name) {
        if (result != CUDA_SUCCESS && first == CUDA_SUCCESS) {
            first = result;
            call = name;
        }
    };
    for (const auto& [id, mapping] : mappings_) {
        imported_areas().remove(mapping.address);
        ContextScope scope(gpu(mapping.gpu_ordinal));
        note(driver.cuMemUnmap(mapping.address, mapping.size_bytes), "cuMemUnmap");
        note(driver.cuMemRelease(mapping.handle), "cuMemRelease");
    }
    mappings_.clear();
    for (const auto& [ordinal, range] : ranges_) {
        ContextScope scope(gpu(ordinal));
        note(driver.cuMemAddressFree(range.base, range.reserved_bytes), "cuMemAddressFree");
    }
    ranges_.clear();
    driver.check(first, call);
}

}  // namespace gpusnap
