#include "target/import.h"

#include <exception>
#include <optional>

#include "mover/areas.h"
#include "mover/digest/scratch.h"

namespace gpusnap {

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
    std::map<uint32_t, size_t> used;
    for (const auto& record : records) {
        Mapping mapping;
        mapping.gpu_ordinal = gpu_by_uuid(uuid_of(record)).ordinal();
        mapping.size_bytes = record.size_bytes;
        mapping.address = ranges_[mapping.gpu_ordinal].base + used[mapping.gpu_ordinal];
        used[mapping.gpu_ordinal] += record.size_bytes;
        if (!mappings_.emplace(record.id, mapping).second) {
            throw Failure(GPUSNAP_E_PROTOCOL, "the workload listed allocation " + std::to_string(record.id) + " twice");
        }
        order_.push_back(record.id);
    }
}

void ImportedMemory::add(const gpusnap_wire_record& record, int descriptor) {
    const Driver& driver = Driver::get();
    if (added_ == order_.size() || order_[added_] != record.id) {
        throw Failure(GPUSNAP_E_PROTOCOL, "the workload exported allocation " + std::to_string(record.id) + " out of turn");
    }
    Mapping& mapping = mappings_.at(record.id);
    Gpu& which = gpu_by_uuid(uuid_of(record));
    if (mapping.size_bytes != record.size_bytes || mapping.gpu_ordinal != which.ordinal()) {
        throw Failure(GPUSNAP_E_PROTOCOL,
                      "the workload exported another allocation " + std::to_string(record.id) + " than it listed");
    }
    ContextScope scope(which);
    CUmemGenericAllocationHandle handle = 0;
    void* as_handle = reinterpret_cast<void*>(static_cast<uintptr_t>(descriptor));
    driver.check(driver.cuMemImportFromShareableHandle(&handle, as_handle, CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR),
                 "cuMemImportFromShareableHandle");
    CUresult mapped = driver.cuMemMap(mapping.address, mapping.size_bytes, 0, handle, 0);
    if (mapped != CUDA_SUCCESS) {
        driver.cuMemRelease(handle);
        driver.check(mapped, "cuMemMap");
    }
    mapping.handle = handle;
    added_++;
}

void ImportedMemory::allow_access() {
    // One call for all of a GPU that follow each other: beside copies to the host a call takes a millisecond (H200).
    std::map<uint32_t, std::pair<CUdeviceptr, CUdeviceptr>> ranges;
    for (size_t i = usable_; i < added_; i++) {
        const Mapping& mapping = mappings_.at(order_[i]);
        auto [range, first] = ranges.try_emplace(mapping.gpu_ordinal, mapping.address, mapping.address);
        range->second.second = mapping.address + mapping.size_bytes;
    }
    const Driver& driver = Driver::get();
    for (const auto& [ordinal, range] : ranges) {
        Gpu& which = gpu(ordinal);
        ContextScope scope(which);
        CUmemAccessDesc access{};
        access.location = which.allocation_properties().location;
        access.flags = CU_MEM_ACCESS_FLAGS_PROT_READWRITE;
        driver.check(driver.cuMemSetAccess(range.first, range.second - range.first, &access, 1), "cuMemSetAccess");
    }
    for (; usable_ < added_; usable_++) {
        const Mapping& mapping = mappings_.at(order_[usable_]);
        imported_areas().add(mapping.address, mapping.size_bytes);
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
    std::exception_ptr first;
    auto tried = [&](auto&& step) {
        try {
            step();
        } catch (const Failure&) {
            first = first ? first : std::current_exception();
        }
    };
    for (size_t i = 0; i < added_; i++) {
        const Mapping& mapping = mappings_.at(order_[i]);
        imported_areas().remove(mapping.address);
        std::optional<ContextScope> scope;
        tried([&] { scope.emplace(gpu(mapping.gpu_ordinal)); });
        tried([&] { driver.check(driver.cuMemUnmap(mapping.address, mapping.size_bytes), "cuMemUnmap"); });
        tried([&] { driver.check(driver.cuMemRelease(mapping.handle), "cuMemRelease"); });
    }
    mappings_.clear();
    order_.clear();
    added_ = 0;
    usable_ = 0;
    for (const auto& [ordinal, range] : ranges_) {
        std::optional<ContextScope> scope;
        tried([&] { scope.emplace(gpu(ordinal)); });
        tried([&] { driver.check(driver.cuMemAddressFree(range.base, range.reserved_bytes), "cuMemAddressFree"); });
    }
    ranges_.clear();
    if (imported_areas().empty()) {
        DigestScratch::free_idle();
    }
    if (first) {
        std::rethrow_exception(first);
    }
}

}  // namespace gpusnap
