#include "target/local_memory.h"

#include <exception>
#include <optional>
#include <utility>

#include "mover/areas.h"
#include "mover/digest/scratch.h"

namespace gpusnap {

LocalMemory::~LocalMemory() {
    try {
        drop();
    } catch (const Failure&) {
        // Nobody is left to tell; the process's end frees what the driver would not.
    }
}

void LocalMemory::reserve(const std::vector<Item>& items) {
    const Driver& driver = Driver::get();
    std::map<uint32_t, size_t> wanted;
    for (const Item& item : items) {
        wanted[item.gpu_ordinal] += item.size_bytes;
    }
    for (const auto& [ordinal, bytes] : wanted) {
        ContextScope scope(gpu(ordinal));
        Range range;
        driver.check(driver.cuMemAddressReserve(&range.base, bytes, 0, 0, 0), "cuMemAddressReserve");
        range.reserved_bytes = bytes;
        ranges_[ordinal] = range;
    }
    std::map<uint32_t, size_t> used;
    for (const Item& item : items) {
        CUdeviceptr address = ranges_[item.gpu_ordinal].base + used[item.gpu_ordinal];
        used[item.gpu_ordinal] += item.size_bytes;
        if (!addresses_.emplace(item.id, address).second) {
            throw Failure(GPUSNAP_E_INVALID, "allocation " + std::to_string(item.id) + " is listed twice");
        }
        items_.push_back(item);
    }
}

void LocalMemory::map(CUmemGenericAllocationHandle handle) {
    const Driver& driver = Driver::get();
    const Item& item = items_.at(added_);
    CUresult mapped = driver.cuMemMap(addresses_.at(item.id), item.size_bytes, 0, handle, 0);
    if (mapped != CUDA_SUCCESS) {
        driver.cuMemRelease(handle);
        driver.check(mapped, "cuMemMap");
    }
    handles_.push_back(handle);
    added_++;
}

void LocalMemory::allow_access() {
    // One call for all of a GPU that follow each other: beside copies to the host a call takes a millisecond (H200).
    std::map<uint32_t, std::pair<CUdeviceptr, CUdeviceptr>> ranges;
    for (size_t i = usable_; i < added_; i++) {
        CUdeviceptr address = addresses_.at(items_[i].id);
        auto [range, first] = ranges.try_emplace(items_[i].gpu_ordinal, address, address);
        range->second.second = address + items_[i].size_bytes;
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
        imported_areas().add(addresses_.at(items_[usable_].id), items_[usable_].size_bytes);
    }
}

uint64_t LocalMemory::local_address(uint64_t id) const {
    auto found = addresses_.find(id);
    return found == addresses_.end() ? 0 : found->second;
}

void LocalMemory::drop() {
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
        const Item& item = items_[i];
        CUdeviceptr address = addresses_.at(item.id);
        imported_areas().remove(address);
        std::optional<ContextScope> scope;
        tried([&] { scope.emplace(gpu(item.gpu_ordinal)); });
        tried([&] { driver.check(driver.cuMemUnmap(address, item.size_bytes), "cuMemUnmap"); });
        tried([&] { driver.check(driver.cuMemRelease(handles_[i]), "cuMemRelease"); });
    }
    addresses_.clear();
    items_.clear();
    handles_.clear();
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
