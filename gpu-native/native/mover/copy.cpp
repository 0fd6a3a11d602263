#include <optional>

#include "mover/digest/digester.h"
#include "mover/lane.h"
#include "mover/plan.h"
#include "mover/streams.h"

using namespace gpusnap;

namespace {

void enqueue(const Driver& driver, gpusnap_direction direction, const gpusnap_copy_item& item, CUstream stream) {
    if (direction == GPUSNAP_DEVICE_TO_HOST) {
        driver.check(driver.cuMemcpyDtoHAsync_v2(item.host_address, item.device_address, item.size_bytes, stream),
                     "cuMemcpyDtoHAsync_v2");
    } else {
        driver.check(driver.cuMemcpyHtoDAsync_v2(item.device_address, item.host_address, item.size_bytes, stream),
                     "cuMemcpyHtoDAsync_v2");
    }
}

std::vector<gpusnap_span> device_sides(const gpusnap_copy_item* items, size_t count) {
    std::vector<gpusnap_span> spans;
    spans.reserve(count);
    for (size_t i = 0; i < count; i++) {
        spans.push_back({items[i].device_address, items[i].size_bytes});
    }
    return spans;
}

}  // namespace

gpusnap_status gpusnap_copy(uint32_t gpu_ordinal, gpusnap_direction direction, const gpusnap_copy_item* items,
                            size_t count, gpusnap_digest* digests) {
    return guarded([&] {
        require(items != nullptr || count == 0, "items is NULL but count is not 0");
        require(direction == GPUSNAP_DEVICE_TO_HOST || direction == GPUSNAP_HOST_TO_DEVICE, "unknown direction");
        require(digests == nullptr || direction == GPUSNAP_HOST_TO_DEVICE, "digests go with copies to the device only");
        for (size_t i = 0; i < count; i++) {
            require(items[i].device_address != 0 && items[i].host_address != nullptr, "an item has a NULL address");
        }
        const Driver& driver = Driver::get();
        Gpu& which = gpu(gpu_ordinal);
        ContextScope scope(which);
        std::optional<Digester> digester;  // before the stream, which waits for its work when this fails
        if (digests != nullptr && count > 0) {
            auto spans = device_sides(items, count);
            require_spans(spans.data(), count);
            digester.emplace(which, std::move(spans));
        }
        const auto merged_bytes = direction == GPUSNAP_DEVICE_TO_HOST ? merged_to_host_bytes : merged_to_device_bytes;
        const auto copies = plan_copies(items, count, merged_bytes, pinned_areas(), imported_areas());
        BorrowedStream stream(which);
        if (digester) {
            digester->upload(stream.get());  // not behind the copies of whoever comes next
        }
        CopyLane lane(which, direction);
        for (const gpusnap_copy_item& copy : copies) {
            enqueue(driver, direction, copy, lane.stream());
        }
        lane.leave(stream.get());
        if (digester) {
            digester->hash(stream.get());
        }
        stream.finish(direction == GPUSNAP_DEVICE_TO_HOST ? "copy from the device" : "copy to the device");
        if (digester) {
            digester->collect(digests);
        }
    });
}

gpusnap_status gpusnap_fill_zero(uint32_t gpu_ordinal, uint64_t device_address, uint64_t size_bytes) {
    return guarded([&] {
        require(device_address != 0, "device_address is 0");
        const Driver& driver = Driver::get();
        Gpu& which = gpu(gpu_ordinal);
        ContextScope scope(which);
        BorrowedStream stream(which);
        if (size_bytes > 0) {
            driver.check(driver.cuMemsetD8Async(device_address, 0, size_bytes, stream.get()), "cuMemsetD8Async");
        }
        stream.finish("fill with zeroes");
    });
}
