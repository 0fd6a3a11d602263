// The workload's physical allocations, mapped a second time in this process.
#pragma once

#include <cstring>
#include <map>
#include <vector>

#include "driver/gpu.h"
#include "preload_protocol.h"
#include "target/channel.h"

namespace gpusnap {

// One address range a GPU, with the workload's allocations in it one after the other.
class ImportedMemory {
public:
    ImportedMemory() = default;
    ~ImportedMemory();
    ImportedMemory(const ImportedMemory&) = delete;
    ImportedMemory& operator=(const ImportedMemory&) = delete;

    // Finds room for all records, then imports them in their order as their descriptors arrive.
    void reserve(const std::vector<gpusnap_wire_record>& records);
    // The first of those that are to come. Throws GPUSNAP_E_PROTOCOL when the workload sent another one.
    void add(const gpusnap_wire_record& record, int descriptor);
    // What was added since it was called last may be used from here on.
    void allow_access();
    // 0 for an allocation that there is no room for here.
    uint64_t local_address(uint64_t id) const;
    bool empty() const noexcept { return ranges_.empty(); }
    size_t added() const noexcept { return added_; }
    size_t left() const noexcept { return order_.size() - usable_; }
    // Unmaps and releases everything; throws after having tried all of it.
    void drop();

private:
    struct Range {
        CUdeviceptr base = 0;
        size_t reserved_bytes = 0;
    };
    struct Mapping {
        CUdeviceptr address = 0;
        size_t size_bytes = 0;
        uint32_t gpu_ordinal = 0;
        CUmemGenericAllocationHandle handle = 0;
    };
    std::map<uint32_t, Range> ranges_;
    std::map<uint64_t, Mapping> mappings_;
    std::vector<uint64_t> order_;
    size_t added_ = 0;
    size_t usable_ = 0;
};

template <typename Record>
UuidBytes uuid_of(const Record& record) {
    UuidBytes uuid{};
    std::memcpy(uuid.data(), record.gpu_uuid, uuid.size());
    return uuid;
}

}  // namespace gpusnap
