#include "target/ahead.h"

#include <fcntl.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "driver/failure.h"

using namespace gpusnap;

namespace {

// Of one call: as many bytes as the preload exports at a time, so that whoever fills the memory soon begins.
constexpr uint64_t batch_bytes = 512ull << 20;

}  // namespace

AheadMemory::AheadMemory(std::vector<LocalMemory::Item> items) {
    items.resize(std::min(items.size(), HeldMemory::most_descriptors()));
    memory_.reserve(items);
}

void AheadMemory::make_next() {
    if (failed_) {
        throw Failure(GPUSNAP_E_STATE, "the memory could not be made, and is gone");
    }
    try {
        uint64_t bytes = 0;
        for (const LocalMemory::Item* item = memory_.next(); item != nullptr && bytes < batch_bytes; item = memory_.next()) {
            bytes += item->size_bytes;
            make_one(*item);
        }
        memory_.allow_access();
    } catch (...) {
        failed_ = true;
        try {
            drop();
        } catch (const Failure&) {
            // The first failure tells more.
        }
        throw;
    }
}

// As the preload makes what stands for cuMemAlloc: see properties_of() there.
void AheadMemory::make_one(const LocalMemory::Item& item) {
    const Driver& driver = Driver::get();
    Gpu& which = gpu(item.gpu_ordinal);
    ContextScope scope(which);
    CUmemAllocationProp properties = which.allocation_properties();
    CUmemGenericAllocationHandle handle = 0;
    driver.check(driver.cuMemCreate(&handle, item.size_bytes, &properties, 0), "cuMemCreate");
    int descriptor = -1;
    CUresult exported =
        driver.cuMemExportToShareableHandle(&descriptor, handle, CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR, 0);
    if (exported != CUDA_SUCCESS) {
        driver.cuMemRelease(handle);
        driver.check(exported, "cuMemExportToShareableHandle");
    }
    fcntl(descriptor, F_SETFD, FD_CLOEXEC);  // a program that is started meanwhile must not keep the memory
    descriptors_.add(item.id, descriptor);
    memory_.map(handle);
}

void AheadMemory::drop() {
    descriptors_.clear();
    memory_.drop();
}

void AheadMemory::give(Channel& channel, const std::vector<gpusnap_wire_record>& listed, uint32_t timeout_ms) {
    const auto& items = memory_.items();
    if (memory_.left() > 0) {
        throw Failure(GPUSNAP_E_STATE, "not all of the memory is made yet");
    }
    for (size_t i = 0; i < std::min(items.size(), listed.size()); i++) {
        if (items[i].id == listed[i].id && items[i].size_bytes != listed[i].size_bytes) {
            throw Failure(GPUSNAP_E_INVALID, "allocation " + std::to_string(items[i].id) + " is not of the size that was made");
        }
    }
    descriptors_.give(GPUSNAP_WIRE_GIVE_AHEAD, channel, listed, timeout_ms);
}

gpusnap_status gpusnap_ahead_open(gpusnap_ahead_item* items, size_t count, gpusnap_ahead** ahead) {
    return guarded([&] {
        require(ahead != nullptr, "ahead is NULL");
        require(items != nullptr || count == 0, "items is NULL but count is not 0");
        std::vector<LocalMemory::Item> wanted;
        for (size_t i = 0; i < count; i++) {
            require(items[i].size_bytes > 0, "an item's size_bytes is 0");
            wanted.push_back({items[i].id, items[i].size_bytes, items[i].gpu_ordinal});
        }
        auto opened = std::make_unique<gpusnap_ahead>(std::move(wanted));
        for (size_t i = 0; i < count; i++) {
            items[i].local_address = opened->memory.local_address(items[i].id);
        }
        *ahead = opened.release();
    });
}

gpusnap_status gpusnap_ahead_make_next(gpusnap_ahead* ahead, size_t* left) {
    return guarded([&] {
        require(ahead != nullptr && left != nullptr, "ahead or left is NULL");
        ahead->memory.make_next();
        *left = ahead->memory.left();
    });
}

gpusnap_status gpusnap_ahead_close(gpusnap_ahead* ahead) {
    return guarded([&] {
        require(ahead != nullptr, "ahead is NULL");
        std::unique_ptr<gpusnap_ahead> closed(ahead);
        closed->memory.drop();
    });
}
