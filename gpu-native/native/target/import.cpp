#include "target/import.h"

namespace gpusnap {

void ImportedMemory::reserve(const std::vector<gpusnap_wire_record>& records) {
    std::vector<Item> items;
    for (const auto& record : records) {
        items.push_back({record.id, record.size_bytes, gpu_by_uuid(uuid_of(record)).ordinal()});
    }
    try {
        LocalMemory::reserve(items);
    } catch (const Failure& failure) {
        if (failure.status() != GPUSNAP_E_INVALID) {
            throw;
        }
        throw Failure(GPUSNAP_E_PROTOCOL, std::string("the workload's list is wrong: ") + failure.what());
    }
}

void ImportedMemory::add(const gpusnap_wire_record& record, int descriptor) {
    const Driver& driver = Driver::get();
    const Item* expected = next();
    if (expected == nullptr || expected->id != record.id) {
        throw Failure(GPUSNAP_E_PROTOCOL, "the workload exported allocation " + std::to_string(record.id) + " out of turn");
    }
    Gpu& which = gpu_by_uuid(uuid_of(record));
    if (expected->size_bytes != record.size_bytes || expected->gpu_ordinal != which.ordinal()) {
        throw Failure(GPUSNAP_E_PROTOCOL,
                      "the workload exported another allocation " + std::to_string(record.id) + " than it listed");
    }
    ContextScope scope(which);
    CUmemGenericAllocationHandle handle = 0;
    void* as_handle = reinterpret_cast<void*>(static_cast<uintptr_t>(descriptor));
    driver.check(driver.cuMemImportFromShareableHandle(&handle, as_handle, CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR),
                 "cuMemImportFromShareableHandle");
    map(handle);
}

}  // namespace gpusnap
