// The workload's physical allocations, mapped a second time in this process.
#pragma once

#include <cstring>
#include <vector>

#include "preload_protocol.h"
#include "target/local_memory.h"

namespace gpusnap {

class ImportedMemory : public LocalMemory {
public:
    // Finds room for all records, then imports them in their order as their descriptors arrive.
    void reserve(const std::vector<gpusnap_wire_record>& records);
    // The first of those that are to come. Throws GPUSNAP_E_PROTOCOL when the workload sent another one.
    void add(const gpusnap_wire_record& record, int descriptor);
};

template <typename Record>
UuidBytes uuid_of(const Record& record) {
    UuidBytes uuid{};
    std::memcpy(uuid.data(), record.gpu_uuid, uuid.size());
    return uuid;
}

}  // namespace gpusnap
